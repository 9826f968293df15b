/** Pictures of one's own as data sets. */

export { imageFolder } from "./folder.js";
export type { ClassFoldersOptions, PictureSplit } from "./layout.js";
export { PictureMemory } from "./memory.js";
export { type Attribute, PictureDataset, type PictureSetOptions, type SkippedFile } from "./picture-dataset.js";
export { type ImageTableOptions, imageTable } from "./table.js";
export { imageZip } from "./zip.js";

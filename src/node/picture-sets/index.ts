/** Pictures of one's own as data sets. */

export { imageFolder, listFolder } from "./folder.js";
export { type ClassFoldersOptions, findSplits, type PictureSplit } from "./layout.js";
export { type ImageMasksOptions, imageMasks, type MaskColour, type Masks } from "./masks.js";
export { PictureMemory } from "./memory.js";
export { type ImageParquetOptions, imageParquet, parquetColumns } from "./parquet.js";
export { type Attribute, PictureDataset, type PictureSetOptions, type SkippedFile } from "./picture-dataset.js";
export { type ImageTableOptions, imageTable, readTable } from "./table.js";
export { imageZip, listZip } from "./zip.js";

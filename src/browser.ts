/** `fovea/browser`: pictures in pages: files that somebody chose or dropped, elements, a camera. */

// Tensors that come from here have a device and methods, whatever else is imported.
import "./device.js";
import "./ops/methods.js";

export { Camera, type CameraOptions, camera } from "./browser/camera.js";
export { type FileSet, type ImagesFromFilesOptions, imagesFromFiles, type SkippedPicture } from "./browser/files.js";
export { type PictureSource, pictureOf, pixelsOf } from "./browser/pixels.js";

/** What the tests of pictures in pages run there. */

import { Camera, camera, imagesFromFiles, pictureOf, pixelsOf } from "../../src/browser.js";
import { fit, models, SGD, setDevice } from "../../src/index.js";

/** A PNG file of one colour. */
async function picture(name: string, colour: string, size = 8): Promise<File> {
  const canvas = new OffscreenCanvas(size, size);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("no canvas");
  context.fillStyle = colour;
  context.fillRect(0, 0, size, size);
  return new File([await canvas.convertToBlob()], name);
}

/** What becomes of files that a drop or an input has, and of elements. */
export async function files() {
  const names = ["red/1.png", "blue/1.png", "red/2.png"];
  const chosen = await Promise.all(names.map((name) => picture(name, name.split("/")[0], 40)));
  chosen.push(new File(["no picture"], "red/3.png"));
  const classOf = ({ name }: File) => name.split("/")[0];
  const { data, files, skipped } = await imagesFromFiles(chosen, { size: 32, classOf });
  setDevice("wasm");
  const model = models.create("largenet", { numClasses: 2 });
  const [{ train }] = await fit(model, data, { optimizer: new SGD(model.parameters(), { lr: 0.01 }), epochs: 1 });
  const error = (promise: Promise<unknown>) => promise.then(() => "none", String);

  const image = document.createElement("img");
  image.src = URL.createObjectURL(await picture("half", "rgba(0, 0, 255, 0.5)"));
  const element = await pixelsOf(image);
  const grey = await pictureOf(chosen[0], models.find("lenet5"));
  return {
    classNames: data.classNames,
    labels: [...data.labels],
    first: [...data.get(0).image.slice(0, 1), ...data.get(0).image.slice(1024, 1025)],
    files: files.map(({ name }) => name),
    skipped: skipped.map(({ file, reason }) => `${file.name}: ${reason}`),
    count: train.count,
    element: [element.width, ...element.data.slice(0, 3)],
    grey: { shape: grey.shape, value: (await grey.data())[400] },
    noClass: await error(imagesFromFiles(chosen, { size: 8 })),
    noSize: await error(imagesFromFiles(chosen, { classOf })),
    nothing: await error(imagesFromFiles([chosen[3]], { size: 8, classOf })),
    broken: await error(pixelsOf(chosen[3])),
  };
}

/** Two frames of the camera, and one after it is off. */
export async function frames() {
  const eye = await camera({ width: 320, height: 240 });
  const entry = models.find("mobilenet_v2");
  const picture = await eye.picture(entry);
  const { width, height, channels, data } = await eye.pixels();
  eye.close();
  return {
    isCamera: eye instanceof Camera,
    shape: picture.shape,
    colours: new Set(await picture.data()).size,
    frame: [width, height, channels, data.length],
    off: await eye.pixels().then(() => "none", String),
  };
}

export async function refused() {
  return camera().then(() => "none", String);
}

/** A camera's frames. */

import { DeviceError } from "../core/errors.js";
import type { PixelImage } from "../data/pixels.js";
import type { PictureInput } from "../data/resize.js";
import type { Tensor } from "../graph/tensor.js";
import { pictureOf, pixelsOf } from "./pixels.js";

export interface CameraOptions {
  /** Which of a telephone's cameras. Default `user`. */
  readonly facing?: "user" | "environment";
  /** Pixels to ask for; cameras give what they have. Default 640×480. */
  readonly width?: number;
  readonly height?: number;
}

/** A camera that is on. */
export class Camera {
  /** Shows what the camera sees, wherever a page puts it. */
  readonly video: HTMLVideoElement;
  readonly #stream: MediaStream;

  /** @internal */
  constructor(video: HTMLVideoElement, stream: MediaStream) {
    this.video = video;
    this.#stream = stream;
  }

  /** What it sees now, as a network expects it: a C×H×W tensor of bytes. @throws DeviceError when it is off */
  async picture(input: PictureInput): Promise<Tensor<[channels: number, height: number, width: number], "uint8">> {
    this.#check();
    return pictureOf(this.video, input);
  }

  /** What it sees now, in its own size. @throws DeviceError when it is off */
  async pixels(channels: 1 | 3 = 3): Promise<PixelImage> {
    this.#check();
    return pixelsOf(this.video, channels);
  }

  /** Turns it off. */
  close(): void {
    for (const track of this.#stream.getTracks()) track.stop();
    this.video.srcObject = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #check(): void {
    if (this.#stream.active) return;
    throw new DeviceError("the camera is off, or was unplugged. Fix: call camera() again.");
  }
}

/**
 * Turns a camera on; the browser asks whether it may.
 *
 * @throws DeviceError where there is none, or it is not allowed
 * @example
 * const eye = await camera();
 * document.body.append(eye.video);
 * const entry = models.find("mobilenet_v2");
 * const scores = model(normalizePixels((await eye.picture(entry)).unsqueeze(0), entry.normalization));
 * eye.close();
 */
export async function camera({ facing = "user", width = 640, height = 480 }: CameraOptions = {}): Promise<Camera> {
  // Pages that are not secure have none, whatever the types say.
  if (!("mediaDevices" in navigator))
    throw new DeviceError("this page may not use cameras. Fix: serve it by https, or from localhost.");
  const video = { facingMode: facing, width: { ideal: width }, height: { ideal: height } };
  const stream = await navigator.mediaDevices.getUserMedia({ video }).catch((cause) => {
    const refused = cause instanceof DOMException && cause.name === "NotAllowedError";
    const reason = refused ? "its use was not allowed" : cause instanceof Error ? cause.message : String(cause);
    throw new DeviceError(
      `the camera cannot be used: ${reason}. Fix: ${refused ? "allow it in the browser" : "check that there is one, and that no other program uses it"}.`,
      { cause },
    );
  });
  const element = document.createElement("video");
  element.muted = true;
  element.playsInline = true;
  element.srcObject = stream;
  await element.play();
  return new Camera(element, stream);
}

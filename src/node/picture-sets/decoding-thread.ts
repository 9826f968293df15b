/** The thread's side of `decodeInThread`. */

import { parentPort } from "node:worker_threads";
import { type DecodingAnswer, type DecodingRequest, decodePicture } from "./decoding.js";

parentPort?.on("message", async (request: DecodingRequest) => {
  try {
    const planar = await decodePicture(request);
    parentPort?.postMessage({ planar } satisfies DecodingAnswer, [planar.buffer]);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({ message } satisfies DecodingAnswer);
  }
});

/** ONNX Runtime's side of a comparison as a process; its argument names the package. */

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { type OnnxRuntime, openOnnxRuntime } from "./onnxruntime-session.js";
import { peersFolder } from "./packages.js";
import { readBuffer, serve } from "./serve.js";

const name = process.argv[2];
const require = createRequire(`${peersFolder}/package.json`);
const runtime: OnnxRuntime =
  name === "onnxruntime-node" ? require(name) : await import(pathToFileURL(require.resolve(name)).href);
const { version }: { version: string } = require(`${peersFolder}/node_modules/${name}/package.json`);
const provider = name === "onnxruntime-node" ? "cpu" : "wasm";
await serve(version, (job) => openOnnxRuntime(runtime, provider, job, readBuffer));

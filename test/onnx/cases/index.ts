/** All calls of single ops that are compared with ONNX Runtime. */

import type { OnnxCase } from "./case.js";
import { elementwiseCases } from "./elementwise.js";
import { indexCases } from "./indices.js";
import { numberCases } from "./numbers.js";
import { shapeCases } from "./shapes.js";
import { windowCases } from "./windows.js";

export const onnxCases: readonly OnnxCase[] = [
  ...windowCases,
  ...elementwiseCases,
  ...shapeCases,
  ...numberCases,
  ...indexCases,
];

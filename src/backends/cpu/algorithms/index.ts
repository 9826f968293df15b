/** What `npm run bench:algorithms` has measured, by the device's kernels: `#algorithms`, outside browsers. */

import type { AlgorithmTables } from "../../../core/algorithms.js";
import { table as avx2 } from "./native-avx2.js";
import { measuredTables as wasm } from "./wasm.js";

export const measuredTables: AlgorithmTables = { "native-avx2": avx2, ...wasm };

/** What `npm run bench:algorithms` has measured, by the device's kernels. */

import type { AlgorithmTables } from "../../../core/algorithms.js";
import { table as avx2 } from "./native-avx2.js";
import { table as relaxed } from "./wasm-relaxed.js";
import { table as simd } from "./wasm-simd.js";

export const measuredTables: AlgorithmTables = { "native-avx2": avx2, "wasm-simd": simd, "wasm-relaxed": relaxed };

/** What `npm run bench:algorithms` has measured of kernels that browsers have. */

import type { AlgorithmTables } from "../../../core/algorithms.js";
import { table as relaxed } from "./wasm-relaxed.js";
import { table as simd } from "./wasm-simd.js";

export const measuredTables: AlgorithmTables = { "wasm-simd": simd, "wasm-relaxed": relaxed };

/** What `npm run bench:algorithms` has measured, by the device's kernels. */

import type { AlgorithmTables } from "../../../core/algorithms.js";

export const measuredTables: AlgorithmTables = {};

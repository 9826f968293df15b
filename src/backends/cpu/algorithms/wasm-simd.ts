import type { AlgorithmTable } from "../../../core/algorithms.js";
export const table: AlgorithmTable = {};

/** Loaded before the command to see it find a wrong gradient: erf's is taken to be 1. */

import { erfOp } from "../../src/ops/elementwise/operations.js";

Reflect.set(erfOp.operation, "gradient", (_: object, __: object, upstream: object) => ({ x: () => upstream }));

/** Loaded before the command to see it find a wrong gradient: tanh's is taken to be 1. */

import { tanhOp } from "../../src/ops/elementwise/operations.js";

Reflect.set(tanhOp.operation, "gradient", (_: object, __: object, upstream: object) => ({ x: () => upstream }));

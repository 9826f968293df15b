/** Networks with the outputs of torchvision's, evaluating and training, on small pictures; `npm run zoo` takes full ones. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { anyDevice, delayed, useDevice } from "../support/devices.js";
import { Golden } from "../support/golden.js";
import { buildCase, type TorchvisionCase, torchvisionError } from "../support/torchvision.js";

const golden = new Golden<TorchvisionCase>("networks");
const skip = delayed && "whole networks take too long with delays; their layers are tested with them";

describe("as torchvision computes it", { skip }, () => {
  golden.cases.forEach((each, i) => {
    it(`${each.name}${each.output === undefined ? "" : ` (${each.output})`} on pictures of ${each.size}×${each.size}`, async () => {
      useDevice(anyDevice());
      // The codes of LeNet-5 are no parameters here.
      if (each.output !== "rbf") assert.equal(buildCase(each).parameterCount(), each.parameters);
      const error = await torchvisionError(golden, i);
      assert.ok(error < 1e-4, `differs by ${error} of the largest score`);
    });
  });
});

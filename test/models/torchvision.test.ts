/** Networks with the outputs of torchvision's, evaluating and training, on small pictures; `npm run zoo` takes full ones. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as models from "../../src/models/index.js";
import { anyDevice, delayed, useDevice } from "../support/devices.js";
import { Golden } from "../support/golden.js";
import { type TorchvisionCase, torchvisionError } from "../support/torchvision.js";

const golden = new Golden<TorchvisionCase>("networks");
const skip = delayed && "whole networks take too long with delays; their layers are tested with them";

describe("as torchvision computes it", { skip }, () => {
  golden.cases.forEach((each, i) => {
    it(`${each.name} on pictures of ${each.size}×${each.size}`, async () => {
      useDevice(anyDevice());
      const { name, width = 1, classes = 10, parameters } = each;
      assert.equal(models.find(name).create({ numClasses: classes, width }).parameterCount(), parameters);
      const error = await torchvisionError(golden, i);
      assert.ok(error < 1e-4, `differs by ${error} of the largest score`);
    });
  });
});

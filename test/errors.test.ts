/** Errors lead to the line that has to be mended. */

import assert from "node:assert/strict";
import test from "node:test";
import { nn, ShapeError, setDevice, type Tensor, zeros } from "fovea";

class Net extends nn.Module {
  features = new nn.Sequential(new nn.Conv2d(1, 4, 3), new nn.ReLU(), new nn.Conv2d(8, 4, 3));

  override forward(x: Tensor): Tensor {
    return this.features(x);
  }
}

setDevice("reference");

test("the stack of a shape error begins at the user's call, and its message names the module", () => {
  const net = new Net();
  assert.throws(
    () => net(zeros([1, 1, 8, 8])),
    (error) => {
      assert.ok(error instanceof ShapeError);
      assert.equal(error.where, "features.2");
      const [header, first, second] = (error.stack ?? "").split("\n");
      assert.equal(header, `ShapeError: ${error.message}`);
      assert.match(header, /features\.2: conv2d: the input has 4 channels/);
      assert.match(first, /at Net\.forward .*test\/errors\.test/);
      assert.match(second, /test\/errors\.test/);
      return true;
    },
  );
});

test("a deep stack of Fovea's own calls does not hide the user's", () => {
  let nested: nn.Sequential = new nn.Sequential(new nn.Linear(3, 2));
  for (let depth = 0; depth < 12; depth++) nested = new nn.Sequential(nested);
  assert.throws(
    () => nested(zeros([1, 4])),
    (error) => {
      assert.ok(error instanceof ShapeError);
      assert.equal(error.where, Array(13).fill("0").join("."));
      assert.match((error.stack ?? "").split("\n")[1], /test\/errors\.test/);
      return true;
    },
  );
});

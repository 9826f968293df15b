/** Errors lead to the line that has to be mended. */

import assert from "node:assert/strict";
import test from "node:test";
import { ArgumentError, add, nn, ShapeError, setDevice, type Tensor, zeros } from "fovea";

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

/** Calls that TypeScript refuses, as JavaScript can make them. */
const untyped: [string, () => unknown, RegExp][] = [
  // @ts-expect-error
  ["a text as a shape", () => zeros("3"), /a string is not a shape.*such as \[2, 3\]/],
  // @ts-expect-error
  ["an array as a tensor", () => add(zeros([2]), [1, 2]), /add: got an array where a tensor belongs/],
  // @ts-expect-error
  ["no kernel size", () => new nn.Conv2d(1, 3), /the kernel size is undefined. Expected an integer of 1 or more/],
  // @ts-expect-error
  ["a number as a layer", () => new nn.Sequential(1), /layer 0 is a number. Expected a module/],
  ["no input features", () => new nn.Linear(0, 3), /input features is 0. Expected an integer of 1 or more\.$/],
];

for (const [what, call, message] of untyped) {
  test(`${what} is refused with what was expected`, () => {
    assert.throws(call, (error) => {
      assert.ok(error instanceof ShapeError || error instanceof ArgumentError);
      assert.match(error.message, message);
      return true;
    });
  });
}

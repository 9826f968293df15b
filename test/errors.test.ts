/** Errors lead to the line that has to be mended. */

import assert from "node:assert/strict";
import test from "node:test";
import { ArgumentError, add, conv1d, nn, onWarning, ShapeError, setDevice, type Tensor, zeros } from "fovea";

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

test("windows that leave out part of the input warn once, with the module's name and two mends", () => {
  const warnings: string[] = [];
  onWarning((message) => warnings.push(message));
  class Pools extends nn.Module {
    pool: nn.MaxPool2d = new nn.MaxPool2d(2);
    conv = new nn.Conv2d(1, 1, 3, { stride: 2, padding: 1 });

    override forward(x: Tensor): Tensor {
      return this.conv(this.pool(x));
    }
  }
  const net = new Pools();
  // 8 rows and columns: the convolution's last window ends before the padding does, where nothing is lost.
  for (let i = 0; i < 3; i++) net(zeros([1, 1, 16, 16]));
  assert.deepEqual(warnings, []);
  for (let i = 0; i < 3; i++) net(zeros([1, 1, 16, 17]));
  assert.deepEqual(warnings, [
    "pool: maxPool2d: windows of 2 at steps of 2 leave out the last 1 of 17 columns. Mend: 1 more of padding (or of input) for another window, or ceilMode: true.",
  ]);
  conv1d(zeros([1, 1, 9]), zeros([1, 1, 4]), null, { stride: 3 });
  assert.match(
    warnings[1],
    /^conv1d: windows of 4 at steps of 3 leave out the last 2 of 9 elements.*another stride\.$/,
  );
  net.pool = new nn.MaxPool2d(2, { ceilMode: true });
  net(zeros([1, 1, 16, 17]));
  new nn.Conv2d(1, 1, 1, { stride: 2 })(zeros([1, 1, 8, 8]));
  assert.equal(warnings.length, 2);
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

/** What somebody sees who prints a tensor, or forgets to read it: text that helps, or an error that says what to do. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "node:util";
import { compile, nn, Parameter, type Tensor, tensor } from "../../src/index.js";

/** As in plain JavaScript, where no compiler objects. */
const useAs = {
  number: (value: unknown) => Number(value),
  sum: (value: unknown) => Reflect.apply((a: number, b: number) => a + b, undefined, [value, 1]),
  comparison: (value: unknown) => Reflect.apply((a: number, b: number) => a < b, undefined, [value, 1]),
  json: (value: unknown) => JSON.stringify({ value }),
};

describe("printing", () => {
  it("shows a tensor's values once they are known, else how to read them", async () => {
    const given = tensor([[1, 2]]);
    const computed = given.mul(2);
    assert.equal(inspect(given), "Tensor 1×2 float32\n[[1., 2.]]");
    assert.equal(inspect([computed]), "[ Tensor 1×2 float32 (not read yet: await t.array(), t.data()) ]");
    assert.equal(`${computed.sum()}`, "Tensor scalar float32 (not read yet: await t.array(), t.data() or t.item())");
    await computed.array();
    assert.equal(`${computed}`, "Tensor 1×2 float32\n[[2., 4.]]");
  });

  it("shows parameters and modules in a line or as a list", () => {
    const parameter = new Parameter(tensor([1, 2]));
    assert.equal(inspect([parameter]), "[ Parameter 2 float32 (to read it: await p.value.array()) ]");
    assert.equal(`${parameter}`, "Parameter 2 float32 (to read it: await p.value.array())");
    assert.equal(inspect(new nn.Sequential(new nn.ReLU())), "Sequential(\n  (0): ReLU()\n)");
  });

  it("shows what to await of a promise", () => {
    assert.match(inspect(tensor(1).item()), /await t\.item\(\)/);
    const pending = compile((x: Tensor) => x.add(1))(1);
    assert.match(inspect(pending), /await step/);
  });
});

describe("a forgotten await", () => {
  for (const [use, apply] of Object.entries(useAs)) {
    it(`of a tensor used as ${use} says so`, () => {
      assert.throws(() => apply(tensor(1).add(1)), /`await t\.item\(\)`/);
      assert.throws(() => apply(tensor([1, 2])), /`await t\.array\(\)`/);
    });

    it(`of a parameter used as ${use} says so`, () => {
      assert.throws(() => apply(new Parameter(tensor([1]))), /`await p\.value\.array\(\)`/);
    });

    it(`of a reading used as ${use} says so`, () => {
      assert.throws(() => apply(tensor(1).item()), /Fix: `await t\.item\(\)`/);
      assert.throws(() => apply(tensor(1).data()), /Fix: `await t\.data\(\)`/);
    });

    it(`of a compiled function's result used as ${use} says so`, () => {
      const step = compile((x: Tensor) => x.mul(2));
      assert.throws(() => apply(step(1)), /`const result = await step\(…\)`/);
    });
  }

  it("says so where the values are looked for on the promise", () => {
    const reading: object = tensor([1, 2]).array();
    for (const name of ["0", "length", "map"]) assert.throws(() => Reflect.get(reading, name), /`await t\.array\(\)`/);
    const pending: object = compile((x: Tensor) => x.mul(2))(1);
    for (const name of ["item", "shape", "add"]) assert.throws(() => Reflect.get(pending, name), /`const result = /);
  });

  it("leaves awaiting, printing and combining promises alone", async () => {
    const loss = tensor([1, 2]).sum();
    assert.equal(await loss.item(), 3);
    assert.deepEqual(await Promise.all([loss.item(), loss.array()]), [3, 3]);
    assert.equal(await loss.item().then((value) => value.toFixed(1)), "3.0");
    assert.equal((await loss.item().finally(() => {})).toFixed(1), "3.0");
  });
});

/** Elementary functions are right to a few units in the last place, over all of float32 (kernels/vector_math.h). */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { cos, exp, log, pow, sigmoid, sin, sqrt, type Tensor, tanh, tensor } from "../../src/index.js";
import { kernelDevices, useDevice } from "../support/devices.js";

const mostUnits = 4;
const mostUnitsOfTanh = 6;

/** Numbers of every magnitude and sign, many where functions bend, and all that is special. */
function allKinds(): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(50_000);
  // A step without a pattern in its bits.
  for (let i = 0; i < bits.length; i++) bits[i] = Math.imul(i, 85_891);
  const special = [0, -0, 1, -1, Infinity, -Infinity, NaN, 1e-45, 1.17549435e-38, 3.4028235e38, 89, -104, 8192, 9.01];
  const near = Array.from({ length: 20_000 }, (_, i) => (i - 10_000) / 997);
  const positive = Array.from({ length: 5_000 }, (_, i) => (i + 1) / 2_503);
  return Float32Array.from([...new Float32Array(bits.buffer), ...special, ...near, ...positive]);
}

/** Distance of neighbouring floats around `value`. */
function unit(value: number): number {
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(Math.fround(value)) || 2 ** -149)));
  return 2 ** (exponent - 23);
}

function errorInUnits(found: number, expected: number): number {
  if (Object.is(Math.fround(expected), found) || found === expected) return 0;
  if (Number.isNaN(found) || Number.isNaN(expected)) return Number.POSITIVE_INFINITY;
  // Of two numbers at the upper end, one may have been rounded to infinity.
  const [a, b] = [found, Math.fround(expected)].map((x) => Math.max(-(2 ** 128), Math.min(2 ** 128, x)));
  return Math.abs(a - (Number.isFinite(Math.fround(expected)) ? expected : b)) / unit(Math.min(Math.abs(a), 2 ** 127));
}

const functions: Readonly<Record<string, readonly [(x: Tensor) => Tensor, (x: number) => number]>> = {
  exp: [exp, Math.exp],
  log: [log, Math.log],
  sqrt: [sqrt, Math.sqrt],
  sin: [sin, Math.sin],
  cos: [cos, Math.cos],
  tanh: [tanh, Math.tanh],
  sigmoid: [sigmoid, (x) => 1 / (1 + Math.exp(-x))],
};

for (const { name, device, reason } of kernelDevices) {
  describe(`functions on ${name}`, { skip: reason }, () => {
    for (const [title, [onDevice, exact]] of Object.entries(functions)) {
      const most = title === "tanh" ? mostUnitsOfTanh : mostUnits;
      it(`${title} is right to ${most} units in the last place`, async () => {
        if (device === undefined) return;
        useDevice(device);
        const x = allKinds();
        const y = await onDevice(tensor(x)).data();
        x.forEach((value, i) => {
          const error = errorInUnits(y[i], exact(value));
          assert.ok(error <= most, `${title}(${value}) is ${y[i]}, not ${exact(value)}: ${error} units`);
        });
      });
    }

    it("tanh is never beyond 1, and 1 where float32 has nothing nearer", async () => {
      if (device === undefined) return;
      useDevice(device);
      const x = Float32Array.from({ length: 60_000 }, (_, i) => (i - 30_000) / 3_000);
      const y = await tanh(tensor(x)).data();
      assert.ok(y.every((value) => Math.abs(value) <= 1));
      x.forEach((value, i) => {
        assert.ok(Math.abs(value) < 9.02 || y[i] === Math.sign(value), `tanh(${value}) is ${y[i]}`);
      });
    });

    it(`pow is right to ${mostUnits} units in the last place`, async () => {
      if (device === undefined) return;
      useDevice(device);
      const bases = allKinds();
      const exponents = Float32Array.from(bases, (_, i) => {
        return i % 3 === 0 ? (i % 41) - 20 : i % 3 === 1 ? ((i % 977) - 488) / 61 : bases[(i * 7_919) % bases.length];
      });
      const y = await (pow(tensor(bases), tensor(exponents)) as Tensor).data();
      bases.forEach((base, i) => {
        const exponent = exponents[i];
        // C's pow, unlike JavaScript's, gives 1 here.
        const expected = base === 1 || (base === -1 && Math.abs(exponent) === Infinity) ? 1 : base ** exponent;
        const error = errorInUnits(y[i], expected);
        assert.ok(error <= mostUnits, `${base} to the power ${exponent} is ${y[i]}, not ${expected}: ${error} units`);
      });
    });
  });
}

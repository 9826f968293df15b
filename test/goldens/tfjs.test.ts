/** Models of TensorFlow.js, compared with what it computes. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { tensor } from "../../src/index.js";
import { loadTfjs } from "../../src/tfjs.js";
import { relativeError } from "../support/numbers.js";

const folder = fileURLToPath(new URL("../../../test/goldens/tfjs/", import.meta.url));
const names = readdirSync(folder).filter((name) => !name.includes("."));

interface Values {
  readonly shape: readonly number[];
  /** Float32, in base 64. */
  readonly data: string;
}

/** The values of N×H×W×C as N×C×H×W; lists of features stay. */
function channelsFirst({ shape, data }: Values): { shape: number[]; data: Float32Array<ArrayBuffer> } {
  const bytes = Uint8Array.from(Buffer.from(data, "base64"));
  const values = new Float32Array(bytes.buffer);
  if (shape.length === 2) return { shape: [...shape], data: values };
  const [n, h, w, c] = shape;
  const turned = values.map((_, i) => {
    const [x, y, channel, picture] = [
      i % w,
      Math.floor(i / w) % h,
      Math.floor(i / (w * h)) % c,
      Math.floor(i / (w * h * c)),
    ];
    return values[((picture * h + y) * w + x) * c + channel];
  });
  return { shape: [n, c, h, w], data: turned };
}

describe("models of TensorFlow.js", () => {
  assert.equal(names.length, 5);
  for (const name of names) {
    it(`${name}: outputs are those of TensorFlow.js`, async () => {
      const values: { input: Values; output: Values } = JSON.parse(
        readFileSync(`${folder}${name}/values.json`, "utf8"),
      );
      const input = channelsFirst(values.input);
      const expected = channelsFirst(values.output);
      const model = await loadTfjs(`${folder}${name}`);
      const output = model(tensor(input.data, input.shape));
      assert.deepEqual(output.shape, expected.shape);
      const error = relativeError(await output.data(), expected.data);
      assert.ok(error < 1e-5, `relative error ${error}`);
    });
  }
});

/** Single nodes with inputs made by a formula, whose outputs ONNX Runtime has computed: see test/goldens/onnx.ts. */

import { sizeOf } from "../../../src/core/shape.js";
import { RandomStream } from "../../../src/index.js";
import type { ElementType } from "../../../src/interop/onnx/elementTypes.js";
import { ranges } from "../../../src/interop/onnx/elementTypes.js";
import type { HostArray } from "../../../src/interop/onnx/tensorProto.js";
import { type AttributeValue, array, type NodeCase } from "../../support/onnxModels.js";

export interface OnnxCase extends NodeCase {
  readonly name: string;
  /** Largest difference allowed, as a share of the largest value. Default 1e-5. */
  readonly tolerance?: number;
}

/** An input whose values come from a formula. */
export interface Filled {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly low: number;
  readonly high: number;
}

type Given = Filled | HostArray | { readonly constant: HostArray } | undefined;

/** Floating point between two bounds. */
export const f = (shape: readonly number[], low = -2, high = 2): Filled => ({ type: "float32", shape, low, high });

/** Integers from one bound to another. */
export const i = (type: ElementType, shape: readonly number[], low = -9, high = 9): Filled => {
  const [least, greatest] = ranges[type as keyof typeof ranges];
  return { type, shape, low: Math.max(low, least), high: Math.min(high, greatest) };
};

function fill({ type, shape, low, high }: Filled, random: RandomStream): HostArray {
  const whole = type !== "float32";
  const values = Array.from({ length: sizeOf(shape) }, () =>
    whole ? low + random.integer(high - low + 1) : random.uniform(low, high),
  );
  return array(type, shape, values);
}

interface Options {
  readonly outputs?: readonly (ElementType | undefined)[];
  readonly tolerance?: number;
}

/** One call of an op. Its outputs are of the first input's type unless said otherwise. */
export function call(
  op: string,
  opset: number,
  inputs: readonly Given[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  { outputs, tolerance }: Options = {},
): OnnxCase {
  const shown = (given: Given) => {
    if (given === undefined) return "none";
    const array = "constant" in given ? given.constant : given;
    const { type, shape } = array;
    const values = "low" in array ? `${array.low} … ${array.high}` : `[${array.data.slice(0, 8)}]`;
    return `${shape.join("×") || "scalar"} ${type} ${values}`;
  };
  const settings = Object.entries(attributes).map(
    ([key, value]) => `${key} ${typeof value === "object" && "data" in value ? value.data : JSON.stringify(value)}`,
  );
  const name = [`${op}-${opset}`, inputs.map(shown).join(", "), ...settings].join("; ");
  const seed = Array.from(name).reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 2 ** 31, 7);
  const random = new RandomStream(seed);
  const filled = inputs.map((given) => (given !== undefined && "low" in given ? fill(given, random) : given));
  const first = filled.find((given) => given !== undefined && !("constant" in given));
  const type = first !== undefined && "type" in first ? first.type : "float32";
  return {
    name,
    op,
    opset,
    inputs: filled,
    attributes,
    outputs: outputs ?? [type],
    ...(tolerance === undefined ? {} : { tolerance }),
  };
}

export const constant = (value: HostArray) => ({ constant: value });

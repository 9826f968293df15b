/** What flows between the nodes of an imported graph. */

import type { AnyState } from "../../graph/state.js";
import type { AnyTensor } from "../../graph/tensor.js";
import type { ElementType } from "./elementTypes.js";

export interface TensorValue {
  readonly kind: "tensor";
  /** What the model says; the tensor holds what is computed in its place. */
  readonly type: ElementType;
  readonly tensor: AnyTensor;
  /** The state that it is read from, where it is a weight. */
  readonly state?: AnyState | undefined;
}

/** A list of tensors. */
export interface SequenceValue {
  readonly kind: "sequence";
  readonly items: readonly Value[];
}

/** An optional value that is not there. */
export interface NothingValue {
  readonly kind: "nothing";
}

export type Value = TensorValue | SequenceValue | NothingValue;

export function tensorValue(type: ElementType, tensor: AnyTensor): TensorValue {
  return { kind: "tensor", type, tensor };
}

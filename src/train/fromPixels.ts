/** A network that normalizes pictures itself, for exports. */

import { ArgumentError } from "../core/errors.js";
import type { Normalization } from "../core/normalization.js";
import type { Shape } from "../core/shape.js";
import type { Tensor } from "../graph/tensor.js";
import type { Layer } from "../nn/layers/container.js";
import type { NamedLayer } from "../nn/layers/multiHead.js";
import { ModuleBase } from "../nn/module.js";
import { asTensor, type TensorLike } from "../ops/tensors.js";
import { normalizePixels } from "./pixels.js";

export interface FromPixels {
  (images: TensorLike<Shape, "uint8">): Tensor | Readonly<Record<string, Tensor>>;
}

/**
 * A model behind the normalization that it was trained with: it takes pictures as they are, N×C×H×W bytes from 0 to 255. In an
 * exported file whoever runs it need not know how pixels are scaled, and whitening goes along, too.
 *
 * @throws ArgumentError when it is called with anything but uint8
 * @example
 * const network = new FromPixels(model, normalization);
 * const bytes = await onnx.export(network, { inputs: [{ shape: [1, 1, 28, 28], dtype: "uint8" }] });
 */
export class FromPixels extends ModuleBase {
  /** @param normalization none only scales to 0 … 1 */
  constructor(
    readonly model: Layer | NamedLayer,
    readonly normalization?: Normalization,
  ) {
    super();
  }

  override forward(images: TensorLike<Shape, "uint8">): Tensor | Readonly<Record<string, Tensor>> {
    const bytes = asTensor("FromPixels", images);
    if (bytes.dtype !== "uint8") {
      throw new ArgumentError(
        `FromPixels: the pictures are ${bytes.dtype}. Expected bytes, uint8 from 0 to 255. Fix: pass them as they are, before any normalization.`,
      );
    }
    return this.model(normalizePixels(bytes, this.normalization));
  }
}

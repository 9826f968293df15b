/** Layers inside layers. */

import { type Layer, Sequential } from "./container.js";

/** The layers with those inside `Sequential`s in their places. */
export function unfoldLayers(layers: readonly Layer[]): Layer[] {
  return layers.flatMap((layer) =>
    layer instanceof Sequential ? unfoldLayers(Array.from({ length: layer.size }, (_, i) => layer[i])) : [layer],
  );
}

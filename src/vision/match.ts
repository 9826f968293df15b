/** Where in a picture something looks like a template. */

import { ShapeError } from "../core/errors.js";
import { formatShape } from "../core/shape.js";
import type { Tensor } from "../graph/tensor.js";
import { conv2d } from "../ops/convolution/convolve.js";
import { type Padding, resolvePadding } from "../ops/convolution/geometry.js";
import { ones } from "../ops/create.js";
import { clip, div, mul, sub } from "../ops/elementwise/arithmetic.js";
import { greater, logicalAnd } from "../ops/elementwise/comparison.js";
import { sqrt } from "../ops/elementwise/functions.js";
import { where } from "../ops/elementwise/select.js";
import { mean } from "../ops/reduce/mean.js";
import { sum } from "../ops/reduce/sum.js";
import { pad } from "../ops/shape/pad.js";
import { reshape } from "../ops/shape/reshape.js";
import type { TensorLike } from "../ops/tensors.js";
import { asPicture } from "./pictures.js";

export interface MatchOptions {
  /**
   * Whether brightness and contrast, of the picture under the template and of the template, are to play no part: both have their
   * mean taken off, for each channel, and the response is the cosine of the angle between them, from −1 to 1. A patch or a
   * template without any contrast gives 0. (OpenCV calls it TM_CCOEFF_NORMED.) Without it, bright patches win, and templates with
   * many bright pixels. Default false.
   */
  readonly normalized?: boolean;
  /** Zeros around the picture. Default none: the template stays inside. */
  readonly padding?: Padding;
}

/**
 * Lays a template on every place of a picture and says how well they agree there: the sum of products (cross-correlation).
 *
 * @param picture H×W, C×H×W or N×C×H×W
 * @param template h×w, C×h×w, or K×C×h×w for K templates of one size
 * @returns the response map, (H−h+1)×(W−w+1), with an axis before it for N pictures and for K templates
 * @example
 * const [best] = await vision.findPeaks(vision.templateMatch(photo, eye, { normalized: true }));
 */
export function templateMatch(picture: TensorLike, template: TensorLike, options: MatchOptions = {}): Tensor {
  const { normalized = false, padding = 0 } = options;
  const given = asPicture("templateMatch", "picture", picture, [2, 3, 4]);
  const wanted = asPicture("templateMatch", "template", template, [2, 3, 4]);
  const images = withFourAxes(given);
  const templates = withFourAxes(wanted);
  if (images.shape[1] !== templates.shape[1]) {
    throw new ShapeError(
      `templateMatch: the picture ${formatShape(given.shape)} has ${images.shape[1]} channels and the template ${formatShape(wanted.shape)} has ${templates.shape[1]}. Fix: a template with the picture's channels.`,
    );
  }
  const [height, width] = images.shape.slice(2);
  const kernel = templates.shape.slice(2);
  const unit = [1, 1];
  const [top, bottom, left, right] = resolvePadding("templateMatch", padding, {
    ...{ size: [height, width], kernel, stride: unit, dilation: unit },
  });
  if (kernel[0] > height + top + bottom || kernel[1] > width + left + right) {
    throw new ShapeError(
      `templateMatch: the template ${formatShape(wanted.shape)} is larger than the picture ${formatShape(given.shape)}. Fix: a smaller template, or padding.`,
    );
  }
  const padded = pad(images, [
    [top, bottom],
    [left, right],
  ]);
  const result = normalized ? cosines(padded, templates) : conv2d(padded, templates);
  const batch = given.rank === 4 ? [given.shape[0]] : [];
  const kinds = wanted.rank === 4 ? [wanted.shape[0]] : [];
  return reshape(result, [...batch, ...kinds, ...result.shape.slice(2)]);
}

function withFourAxes(x: Tensor): Tensor {
  return reshape(x, [...Array.from({ length: 4 - x.rank }, () => 1), ...x.shape]);
}

/**
 * Where a sum of squared deviations is below such a share of the sum of squares it is rounding: there is no contrast. In the picture
 * it is a difference of rounded sums; of the template the deviations themselves are squared.
 */
const flat = { picture: 1e-5, template: 1e-10 } as const;

/** N×K×H×W: for each place the cosine between the picture there and the template, both without their means. */
function cosines(images: Tensor, templates: Tensor): Tensor {
  const [kinds, channels, height, width] = templates.shape;
  // A shift of the whole picture changes nothing, and makes the difference of large numbers below one of small ones.
  const x = sub(images, mean(images, [2, 3], { keepdim: true })) as Tensor;
  const t = sub(templates, mean(templates, [2, 3], { keepdim: true })) as Tensor;
  const sums = conv2d(x, ones([channels, 1, height, width]), null, { groups: channels });
  const squares = conv2d(square(x), ones([1, channels, height, width]));
  const contrast = sub(squares, mul(sum(square(sums), 1, { keepdim: true }), 1 / (height * width))) as Tensor;
  const perTemplate = (values: Tensor) => reshape(sum(square(values), [1, 2, 3]), [1, kinds, 1, 1]);
  const ownContrast = perTemplate(t);
  const comparable = logicalAnd(
    greater(contrast, mul(squares, flat.picture)),
    greater(ownContrast, mul(perTemplate(templates), flat.template)),
  );
  const lengths = sqrt(where(comparable, mul(contrast, ownContrast), 1));
  return where(comparable, clip(div(conv2d(x, t), lengths), -1, 1), 0) as Tensor;
}

function square(x: Tensor): Tensor {
  return mul(x, x) as Tensor;
}

/** What the classes are called that published weights tell apart: `fovea/classes`. */

import { cifar10Classes, cifar100Classes, cifar100Superclasses } from "./cifar.js";
import { imagenetClasses } from "./imagenet.js";
import { tinyVggClasses } from "./tiny-vgg.js";

/** By the name that a network's entry has under `classes`; number i of a list names class i. */
export const classNames = {
  imagenet: imagenetClasses,
  cifar10: cifar10Classes,
  cifar100: cifar100Classes,
  tinyvgg: tinyVggClasses,
} as const satisfies Readonly<Record<string, readonly string[]>>;

export { cifar10Classes, cifar100Classes, cifar100Superclasses, imagenetClasses, tinyVggClasses };

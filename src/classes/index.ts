/** What the classes are called that published weights tell apart: `fovea/classes`. */

export { cifar10Classes, cifar100Classes, cifar100Superclasses } from "./cifar.js";
export { imagenetClasses } from "./imagenet.js";

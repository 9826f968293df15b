/** Networks cut in two: all up to some layer, and what makes scores of that. */

import { ArgumentError } from "../core/errors.js";
import { closestName } from "../core/suggest.js";
import { Tensor } from "../graph/tensor.js";
import { type Layer, Sequential } from "./layers/container.js";
import { Dropout } from "./layers/dropout.js";
import { unfoldLayers } from "./layers/unfold.js";
import { callUntil, Module, type ModuleBase } from "./module.js";
import type { Network } from "./network.js";

/** A network up to one of its layers, as `chop` makes it. */
export class Chopped extends Module {
  constructor(
    readonly network: Layer,
    /** Path of the last layer: `layer3.1`. */
    readonly last: string,
  ) {
    super();
    findModule(network, last);
  }

  override forward(x: Tensor): Tensor {
    const answer = callUntil(findModule(this.network, this.last), () => this.network(x));
    if (answer === undefined) throw new ArgumentError(`chop: the network does not call ${this.last}. ${someOther}`);
    if (answer.result instanceof Tensor) return answer.result;
    throw new ArgumentError(`chop: ${this.last} does not give one tensor. ${someOther}`);
  }
}

const someOther = "Fix: name a layer that it calls with a tensor, such as one of network.featureInfo.";

/**
 * The network up to one of its layers, which it shares: training either trains both. Layers behind it are not computed; they
 * stay in the network, and optimizers leave them alone. Of a layer that is called more than once the first answer counts.
 *
 * @param last the layer's path: one of `network.featureInfo`, or any that `console.log(network)` shows
 * @throws ArgumentError for a name that no layer has, with the one that was probably meant
 * @example
 * const body = nn.chop(network, "layer3").freeze();
 * const head = new nn.Sequential(new nn.AdaptiveAvgPool2d(1), new nn.Flatten(), new nn.Linear(256, 5));
 * const model = new nn.Sequential(body, head);
 */
export function chop(network: Layer, last: string): Chopped {
  return new Chopped(network, last);
}

/** Modules by their names, and by those of the modules that they are in. */
interface Parts {
  readonly [name: string]: ModuleBase | Parts;
}

/** What a network's classifying layer is given: everything before it. */
class Body extends Module {
  /** All of the network but its classifying layer, under the names that it has there. */
  readonly parts: Parts;
  readonly #network: Network;
  readonly #layers: readonly Layer[];

  /** @param layers of the head that are part of it */
  constructor(network: Network, layers: readonly Layer[], classifier: readonly Layer[]) {
    super();
    this.parts = partsWithout(network, new Set(classifier));
    this.#network = network;
    this.#layers = layers;
  }

  override forward(x: Tensor): Tensor {
    return this.#layers.reduce((result, layer) => layer(result), this.#network.forwardFeatures(x));
  }
}

function partsWithout(module: ModuleBase, left: ReadonlySet<ModuleBase>): Parts {
  const parts: Record<string, ModuleBase | Parts> = {};
  for (const [name, child] of module.namedChildren()) {
    if (left.has(child)) continue;
    const whole = [...child.namedModules()].every(([, inner]) => !left.has(inner));
    parts[name] = whole ? child : partsWithout(child, left);
  }
  return parts;
}

/** A network in two parts, which are the network's own: training them trains it. */
export interface ChoppedNetwork {
  /** Pictures → what the classifier is given. */
  readonly body: Layer;
  /** The classifying layer, dropout before it, and what follows: → scores. */
  readonly classifier: Sequential;
}

/**
 * Cuts a network before its classifying layer, the one that `resetClassifier` replaces, wherever it is: a fully connected layer
 * at the end, or a 1×1 convolution with the pooling behind it. Call it after `resetClassifier`.
 *
 * @example
 * network.resetClassifier(5);
 * const { body, classifier } = nn.splitClassifier(network);
 * const features = await extractFeatures(body, photos);
 * await fit(classifier, features, { optimizer: new SGD(classifier.parameters(), { lr: 0.05 }), epochs: 20 });
 */
export function splitClassifier(network: Network): ChoppedNetwork {
  const layers = unfoldLayers(network.headLayers);
  let start = layers.findLastIndex((layer) => layer.parameters().length > 0);
  if (start === -1)
    throw new ArgumentError(
      `splitClassifier: the head of ${network.constructor.name} has no layer that learns. Expected a network whose last layer classifies.`,
    );
  while (start > 0 && layers[start - 1] instanceof Dropout) start--;
  const classifier = layers.slice(start);
  return { body: new Body(network, layers.slice(0, start), classifier), classifier: new Sequential(...classifier) };
}

/**
 * Freezes a network from its input through one of its layers, in the order in which `console.log(network)` shows them.
 *
 * @throws ArgumentError for a name that no layer has, with the one that was probably meant
 * @example nn.freezeThrough(network, "layer3"); // layer4 and fc go on learning
 */
export function freezeThrough<Root extends ModuleBase>(network: Root, last: string): Root {
  const modules = [...network.namedModules()].map(([, module]) => module);
  const within = new Set([...findModule(network, last).namedModules()].map(([, module]) => module));
  const behind = new Set(modules.slice(modules.findLastIndex((module) => within.has(module)) + 1));
  for (const module of modules) {
    if ([...module.namedModules()].every(([, inner]) => !behind.has(inner))) module.freeze();
  }
  return network;
}

/** @throws ArgumentError that names the module that was probably meant */
function findModule(network: ModuleBase, path: string): ModuleBase {
  const names: string[] = [];
  for (const [name, module] of network.namedModules()) {
    if (name === "") continue;
    if (name === path) return module;
    names.push(name);
  }
  const meant = closestName(path, names);
  const children = [...network.namedChildren()].map(([name]) => name);
  throw new ArgumentError(
    `${network.constructor.name} has no layer named ${JSON.stringify(path)}.${meant === undefined ? "" : ` Did you mean ${meant}?`} ` +
      `Expected the path of one inside it, such as ${children.slice(0, 12).join(", ")}.`,
  );
}

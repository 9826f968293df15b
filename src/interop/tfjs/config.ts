/** What Keras says about a layer, read with care: models come from anywhere. */

import { FormatError } from "../../core/errors.js";
import { isRecord } from "../../formats/json.js";

/** A layer of a model's topology. */
export interface LayerSpec {
  /** Its name in the model, which its weights' names begin with. */
  readonly name: string;
  /** What Keras calls the class: `Conv2D`. */
  readonly className: string;
  readonly config: LayerConfig;
}

/** The settings of one layer, each checked when it is read. */
export class LayerConfig {
  constructor(
    private readonly values: Readonly<Record<string, unknown>>,
    /** What errors begin with: file, layer and class. */
    readonly what: string,
  ) {}

  fail(message: string): FormatError {
    return new FormatError(`${this.what}: ${message}`);
  }

  /** Whether something other than null is given. */
  has(key: string): boolean {
    return (this.values[key] ?? null) !== null;
  }

  get(key: string): unknown {
    return this.values[key];
  }

  count(key: string, otherwise?: number): number {
    const value = this.values[key] ?? otherwise;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
    throw this.fail(`${key} is ${shown(value)}. Expected an integer of 1 or more.`);
  }

  real(key: string, otherwise: number): number {
    const value = this.values[key] ?? otherwise;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw this.fail(`${key} is ${shown(value)}. Expected a number.`);
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.values[key] ?? otherwise;
    if (typeof value === "boolean") return value;
    throw this.fail(`${key} is ${shown(value)}. Expected true or false.`);
  }

  /** One of some words. */
  choice<const Choice extends string>(key: string, choices: readonly Choice[], otherwise: Choice): Choice {
    const value = this.values[key] ?? otherwise;
    const found = choices.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw this.fail(`${key} is ${shown(value)}. Expected ${choices.map((choice) => `"${choice}"`).join(" or ")}.`);
  }

  /** Two counts, vertical and horizontal; one number stands for both. */
  pair(key: string, otherwise?: readonly [number, number]): readonly [number, number] {
    const value = this.values[key] ?? otherwise;
    const [vertical, horizontal, ...more]: unknown[] = Array.isArray(value) ? value : [value, value];
    const isCount = (each: unknown): each is number =>
      typeof each === "number" && Number.isSafeInteger(each) && each >= 1 && each <= 2 ** 20;
    if (isCount(vertical) && isCount(horizontal) && more.length === 0) return [vertical, horizontal];
    throw this.fail(`${key} is ${shown(value)}. Expected two integers of 1 or more.`);
  }

  /** Throws unless pictures are N×H×W×C, as all of TensorFlow.js has them by default. */
  checkChannelsLast(): void {
    this.choice("data_format", ["channels_last"], "channels_last");
  }

  /** Throws where a setting has another value than the only one that is understood. */
  require(key: string, expected: number | string): void {
    const value = this.values[key] ?? expected;
    if (value !== expected) throw this.fail(`${key} is ${shown(value)}. Only ${shown(expected)} can be read.`);
  }

  /** Throws unless `axis` is the last of so many: that of the channels. */
  lastAxis(axes: number): void {
    const given = this.values.axis ?? -1;
    const axis: unknown = Array.isArray(given) && given.length === 1 ? given[0] : given;
    if (axis !== -1 && axis !== axes - 1)
      throw this.fail(`axis is ${shown(given)}. Expected ${axes - 1}, the last: that of the channels.`);
  }

  /** The name of the activation that the layer ends with. */
  activation(): string {
    const value = this.values.activation ?? "linear";
    if (typeof value === "string") return value;
    throw this.fail(`activation is ${shown(value)}. Expected the name of one.`);
  }
}

/** The layers of a topology in the order in which they are called, models inside models opened up. */
export function layersOf(topology: unknown, file: string): LayerSpec[] {
  const holder = isRecord(topology) && isRecord(topology.model_config) ? topology.model_config : topology;
  if (!isRecord(holder) || typeof holder.class_name !== "string") {
    throw new FormatError(
      `${file}: modelTopology holds no layers. Expected a layers model, as model.save() or the converter's tfjs_layers_model write it. ` +
        "Fix: convert the model to a layers model; graph models cannot be read.",
    );
  }
  return modelLayers(holder.class_name, holder.config, file);
}

const modelClasses: readonly string[] = ["Sequential", "Functional", "Model"];

function modelLayers(className: string, config: unknown, file: string): LayerSpec[] {
  if (!modelClasses.includes(className)) {
    throw new FormatError(
      `${file}: the model is of the class ${shown(className)}. Expected ${modelClasses.join(", ")}.`,
    );
  }
  const list = Array.isArray(config) ? config : isRecord(config) ? config.layers : undefined;
  if (!Array.isArray(list)) {
    throw new FormatError(`${file}: the model of the class ${className} has no list of layers.`);
  }
  let previous: string | undefined;
  return list.flatMap((entry: unknown, index): LayerSpec[] => {
    const record = isRecord(entry) ? entry : {};
    const { class_name: layerClass, config: values } = record;
    if (typeof layerClass !== "string" || (!isRecord(values) && !Array.isArray(values))) {
      throw new FormatError(`${file}: layer ${index} is ${shown(entry)}. Expected a class_name and a config.`);
    }
    const given = isRecord(values) ? (record.name ?? values.name) : undefined;
    const name = typeof given === "string" ? given : `${layerClass.toLowerCase()}_${index}`;
    if (className !== "Sequential") {
      checkChain(record.inbound_nodes, previous, `${file}: layer ${shown(name)} (${layerClass})`);
      previous = name;
    }
    if (modelClasses.includes(layerClass)) return modelLayers(layerClass, values, file);
    const what = `${file}: layer ${shown(name)} (${layerClass})`;
    return [{ name, className: layerClass, config: new LayerConfig(isRecord(values) ? values : {}, what) }];
  });
}

/** Throws unless a layer takes the output of the layer before it, and nothing else. */
function checkChain(inbound: unknown, previous: string | undefined, what: string): void {
  const sources = [...namesIn(inbound)];
  const expected = previous === undefined ? [] : [previous];
  if (sources.length === expected.length && sources.every((source, i) => source === expected[i])) return;
  throw new FormatError(
    `${what} takes ${sources.length === 0 ? "nothing" : sources.join(" and ")}. Expected ${previous ?? "nothing"}: only models whose layers form a chain can be read. ` +
      "Fix: export the model to ONNX, and load that.",
  );
}

/** Names of layers in `inbound_nodes`: [[["conv", 0, 0, {}]]], or in Keras 3 { keras_history: ["conv", 0, 0] }. */
function* namesIn(node: unknown): Generator<string> {
  if (Array.isArray(node)) {
    if (typeof node[0] === "string") yield node[0];
    else for (const inner of node) yield* namesIn(inner);
  } else if (isRecord(node)) {
    for (const value of Object.values(node)) if (typeof value === "object") yield* namesIn(value);
  }
}

export function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "missing").slice(0, 80);
}

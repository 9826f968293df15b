/** Augmentations as text, for command lines and settings. */

import { ArgumentError } from "../../core/errors.js";
import type { BatchAugmentation } from "./augmentation.js";
import { compose } from "./compose.js";
import { findAugmentation } from "./registry.js";

/**
 * The augmentations that a text lists: names with commas between, each with options behind colons. The first may leave out its
 * name; `p` is short for `probability`; `0.8..1.2` is from … to.
 *
 * @throws ArgumentError saying what is wrong where
 * @example augment.parse("crop:4,flip,rotate:15,jitter:brightness=0.4:hue=0.1,erase:p=0.25")
 */
export function parse(text: string): BatchAugmentation {
  return compose(text.split(",").map(parseOne));
}

function parseOne(text: string): BatchAugmentation {
  const [name, ...settings] = text.trim().split(":");
  if (name === "") {
    throw new ArgumentError(
      "augmentations: a name is missing. Expected names with commas between, such as crop:4,flip,rotate:15.",
    );
  }
  const { main, create } = findAugmentation(name);
  const options: Record<string, number | boolean | string | readonly number[]> = {};
  for (const [i, setting] of settings.entries()) {
    const [left, right, ...more] = setting.split("=");
    if (more.length > 0 || left === "" || right === "") throw wrong(text, setting);
    if (right === undefined && (i > 0 || main === undefined)) throw wrong(text, setting);
    const option = right === undefined ? (main ?? "") : left === "p" ? "probability" : left;
    if (Object.hasOwn(options, option)) throw new ArgumentError(`augmentations: ${text} sets ${option} twice.`);
    options[option] = parseValue(right ?? left);
  }
  return create(options);
}

function parseValue(text: string): number | boolean | string | readonly number[] {
  if (text === "true" || text === "false") return text === "true";
  const parts = text.split("..").map(Number);
  if (parts.some(Number.isNaN)) return text;
  return parts.length === 1 ? parts[0] : parts;
}

function wrong(text: string, setting: string): ArgumentError {
  return new ArgumentError(
    `augmentations: ${JSON.stringify(setting)} in ${text} is not an option. Expected option=value, such as jitter:brightness=0.4:hue=0.1.`,
  );
}

/**
 * The lecture's way to write a network down, `[(CONV-RELU)*N POOL?]*M (FC-RELU)*K SOFTMAX`, as a list of layers.
 *
 *     pattern = item { ["-" | "," | "→"] item }
 *     item    = (word | "[" pattern "]" | "(" pattern ")") { "?" | "*" count }
 *     count   = digits | "N" | "M" | "K"
 */

import { ArgumentError } from "../core/errors.js";
import { closestName } from "../core/suggest.js";

export const words = ["CONV", "RELU", "TANH", "SIGMOID", "BN", "POOL", "DROPOUT", "FC", "SOFTMAX"] as const;

export type Word = (typeof words)[number];

/** A layer of the list, and where the pattern names it: 1 for its first character. */
export interface Step {
  readonly word: Word;
  readonly at: number;
}

/** How often the letters stand for, and what becomes of items with a question mark. */
export interface Choices {
  readonly N?: number;
  readonly M?: number;
  readonly K?: number;
  readonly optional?: boolean | readonly boolean[];
}

/** More repetitions and deeper brackets than anybody means: a slip such as `*1000000` is told instead of carried out. */
const [mostRepetitions, deepest] = [10_000, 100];

interface Item {
  /** A layer, or the items between brackets. */
  readonly content: Step | readonly Item[];
  readonly isOptional: boolean;
  readonly count: number;
}

/** All layers in order, groups repeated. @throws ArgumentError that says where the pattern is wrong */
export function expandPattern(pattern: string, choices: Choices): readonly Step[] {
  const { optional = true } = choices;
  const items = new Parser(pattern, choices).parse();
  const steps: Step[] = [];
  let optionalItems = 0;
  let repetitions = 0;
  const wanted = () => {
    if (typeof optional === "boolean") return optional;
    if (optionalItems < optional.length) return optional[optionalItems++];
    throw new ArgumentError(
      `pattern: optional has ${optional.length} answers, but items with a question mark come up more often. Expected one for each time, or a single one for all.`,
    );
  };
  const expand = ({ content, isOptional, count }: Item) => {
    for (let i = 0; i < count; i++) {
      if (++repetitions > mostRepetitions)
        throw new ArgumentError(
          `pattern: it has more than ${mostRepetitions} layers and repetitions. Expected smaller counts.`,
        );
      if (isOptional && !wanted()) continue;
      if ("word" in content) steps.push(content);
      else content.forEach(expand);
    }
  };
  items.forEach(expand);
  return steps;
}

class Parser {
  /** How much of the pattern has been read. */
  #position = 0;
  /** How many brackets are open. */
  #depth = 0;

  constructor(
    readonly pattern: string,
    readonly choices: Choices,
  ) {}

  parse(): readonly Item[] {
    const items = this.#items(undefined);
    if (items.length === 0) this.#fail("there is no layer", "a pattern such as (CONV-RELU)*2 POOL FC-RELU SOFTMAX");
    return items;
  }

  /** Items up to `closing`, which is read too, or to the end. */
  #items(closing: string | undefined): readonly Item[] {
    const opened = this.#position;
    if (++this.#depth > deepest) this.#fail("there are too many open brackets", `at most ${deepest}`, opened);
    const items: Item[] = [];
    for (;;) {
      this.#skip(/[\s,→-]*/y);
      if (this.#position >= this.pattern.length) {
        if (closing === undefined) return items;
        this.#fail(`the bracket at character ${opened} is not closed`, `"${closing}"`);
      }
      if (closing !== undefined && this.#take(closing)) {
        if (items.length === 0) this.#fail("there is nothing between the brackets", "a layer", opened);
        this.#depth--;
        return items;
      }
      items.push(this.#item());
    }
  }

  #item(): Item {
    const content = this.#take("[") ? this.#items("]") : this.#take("(") ? this.#items(")") : this.#word();
    let isOptional = false;
    let count = 1;
    for (;;) {
      this.#skip(/\s*/y);
      if (this.#take("?")) isOptional = true;
      else if (this.#take("*") || this.#take("×")) count *= this.#count();
      else return { content, isOptional, count };
    }
  }

  #word(): Step {
    const at = this.#position + 1;
    const found = this.#skip(/[A-Za-z_]+\d*/y);
    if (found === "") this.#fail(`"${this.pattern[this.#position]}" is unexpected`, "a layer or a bracket");
    const word = words.find((each) => each === found.toUpperCase());
    if (word !== undefined) return { word, at };
    const meant = closestName(found, words);
    const suggestion = meant === undefined ? "" : ` Did you mean ${meant}?`;
    return this.#fail(`"${found}" is no layer.${suggestion}`, `one of ${words.join(", ")}`, at);
  }

  #count(): number {
    this.#skip(/\s*/y);
    const at = this.#position + 1;
    const digits = this.#skip(/\d+/y);
    if (digits !== "") return Number(digits);
    const letter = (["N", "M", "K"] as const).find((each) => this.#take(each));
    if (letter === undefined) return this.#fail("after * there is no count", "a number, N, M or K", at);
    const count = this.choices[letter];
    if (count === undefined)
      return this.#fail(`nothing says how often ${letter} is`, `a number. Fix: { ${letter}: 2 }`, at);
    if (Number.isInteger(count) && count >= 0) return count;
    return this.#fail(`${letter} is ${count}`, "an integer of 0 or more", at);
  }

  /** Reads what `expression`, a sticky one, finds here. */
  #skip(expression: RegExp): string {
    expression.lastIndex = this.#position;
    const found = expression.exec(this.pattern)?.[0] ?? "";
    this.#position += found.length;
    return found;
  }

  #take(character: string): boolean {
    if (this.pattern[this.#position]?.toUpperCase() !== character) return false;
    this.#position++;
    return true;
  }

  #fail(what: string, expected: string, at = this.#position + 1): never {
    const where = at > this.pattern.length ? "at its end" : `at character ${at}`;
    const stop = /[.?]$/.test(what) ? "" : ".";
    throw new ArgumentError(`pattern ${JSON.stringify(this.pattern)}: ${where} ${what}${stop} Expected ${expected}.`);
  }
}

/** JSON from files that may be damaged or hostile: what `JSON.parse` lets through and we do not. */

import { FormatError } from "../core/errors.js";

/** What a text may hold: keys count four times, for they take so much more memory than other values. */
const limit = { values: 800_000, key: 4 };

/** Parses `text`, refusing objects that name a key twice, nesting deeper than `maxDepth`, and more values than memory allows. */
export function parseStrictJson(text: string, name: string, maxDepth: number): unknown {
  // First, so that a file made only of brackets cannot make the parser allocate.
  scan(text, name, maxDepth);
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError(`${name}: not valid JSON: ${reason}. Fix: the file is damaged; write or download it again.`, {
      cause: error,
    });
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Walks over the text's strings and brackets; what is not JSON at all is left for the parser to report. */
function scan(text: string, name: string, maxDepth: number): void {
  // The keys of each open object, or undefined for an open array.
  const open: (Set<string> | undefined)[] = [];
  let values = 0;
  const count = (number: number) => {
    values += number;
    if (values <= limit.values) return;
    throw new FormatError(
      `${name}: more than ${limit.values} values (each key counts ${limit.key}). Fix: write it as several files.`,
    );
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') {
      const end = endOfString(text, i);
      const keys = open.at(-1);
      if (keys !== undefined && isKey(text, end)) {
        const key = readString(text.slice(i, end));
        if (keys.has(key)) {
          throw new FormatError(
            `${name}: the key ${JSON.stringify(key.slice(0, 80))} is there twice, again at character ${i}. ` +
              "Expected each key once. Fix: write the file again with distinct names.",
          );
        }
        count(limit.key);
        keys.add(key);
      }
      i = end - 1;
    } else if (character === "{" || character === "[") {
      if (open.length === maxDepth) {
        throw new FormatError(
          `${name}: nested deeper than ${maxDepth} levels at character ${i}. ` +
            "Fix: the file is damaged; write or download it again.",
        );
      }
      open.push(character === "{" ? new Set() : undefined);
    } else if (character === ",") {
      count(1);
    } else if (character === "}" || character === "]") {
      open.pop();
    }
  }
}

/** The position after the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i + 1;
  }
  return text.length;
}

/** Whether a colon follows, which makes the string before it a key. */
function isKey(text: string, end: number): boolean {
  let i = end;
  while (text[i] === " " || text[i] === "\t" || text[i] === "\r" || text[i] === "\n") i++;
  return text[i] === ":";
}

function readString(quoted: string): string {
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}

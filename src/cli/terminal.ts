/** What standard error can show. */

/** Whether it shows colours; not where NO_COLOR is set. */
export function hasColours(): boolean {
  return process.stderr.isTTY === true && process.stderr.hasColors(256);
}

/** Characters in a line. */
export function terminalWidth(): number {
  return process.stderr.columns || 80;
}

/** Breaks lines that are longer than `width` between `words`, and indents what goes on. */
export function fold(text: string, width: number, words = " "): string {
  return text
    .split("\n")
    .flatMap((line) => foldLine(line, width, words))
    .join("\n");
}

function foldLine(line: string, width: number, words: string): string[] {
  const lines: string[] = [];
  let current: string | undefined;
  for (const word of line.split(words)) {
    if (current === undefined) current = word;
    else if (current.length + words.length + word.length <= width) current += words + word;
    else {
      lines.push(current);
      current = `  ${word}`;
    }
  }
  return [...lines, current ?? ""];
}

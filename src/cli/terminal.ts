/** What standard error can show. */

/** Whether it shows colours; not where NO_COLOR is set. */
export function hasColours(): boolean {
  return process.stderr.isTTY === true && process.stderr.hasColors(256);
}

/** Characters in a line. */
export function terminalWidth(): number {
  return process.stderr.columns || 80;
}

/** Breaks lines that are longer than `width` at `gaps`, and indents what goes on. Numbers keep their % sign. */
export function fold(text: string, width: number, gaps = " "): string {
  return text
    .split("\n")
    .flatMap((line) => foldLine(line, width, gaps))
    .join("\n");
}

function foldLine(line: string, width: number, gaps: string): string[] {
  const lines: string[] = [];
  let current: string | undefined;
  for (const word of gaps === " " ? line.split(/ (?!%)/) : line.split(gaps)) {
    if (current === undefined) current = word;
    else if (current.length + gaps.length + word.length <= width) current += gaps + word;
    else {
      lines.push(current);
      current = `  ${word}`;
    }
  }
  return [...lines, current ?? ""];
}

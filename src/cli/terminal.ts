/** What standard error can show. */

/** None; a terminal's 256; or any of red, green and blue. */
export type Colours = "none" | "256" | "true";

/** What it shows; none where NO_COLOR is set. */
export function colours(): Colours {
  if (process.stderr.isTTY !== true || !process.stderr.hasColors(256)) return "none";
  return process.stderr.hasColors(2 ** 24) ? "true" : "256";
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

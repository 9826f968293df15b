/** Pictures that a table names, with a label or several for each. */

import { realpath } from "node:fs/promises";
import { dirname, extname, isAbsolute, join } from "node:path";
import { ArgumentError, DataError, FileError, FormatError } from "../../core/errors.js";
import { closestName } from "../../core/suggest.js";
import { warnOnce } from "../../core/warnings.js";
import { readFile } from "../files.js";
import { isPictureName } from "../image.js";
import { fileAt, isWithin } from "./folder.js";
import { nameSome, warnOfAlike } from "./layout.js";
import {
  type Attribute,
  openPictures,
  type PictureDataset,
  type PictureSetOptions,
  type PictureSetParts,
  type SkippedFile,
} from "./picture-dataset.js";

export interface ImageTableOptions extends PictureSetOptions {
  /** The column with the pictures' paths. */
  readonly file: string;
  /**
   * The columns with labels. The first is the class to learn; all are in the set's `attributes`. May be none where `attributes` are
   * given: all pictures are then of one class.
   */
  readonly labels: string | readonly string[];
  /** Further columns for the set's `attributes`, of which any may be missing: -1. For several tasks at once. */
  readonly attributes?: readonly string[] | undefined;
  /** The folder that the paths start from. Default: the table's own. */
  readonly folder?: string | undefined;
  /** Only the rows that have this value in this column, as where one says `train` or `test`. */
  readonly where?: Readonly<Record<string, string>> | undefined;
  /**
   * What to do with rows where a label is missing (nothing, NaN, NA, N/A or null): `error`, leave them out (`skip`), or
   * `keep` them with -1 in the attribute, which the first column cannot be. Default `error`.
   */
  readonly missing?: "error" | "skip" | "keep" | undefined;
  /** What parts the columns. Default: a tab in `.tsv` files, otherwise a comma, or a semicolon where the header has no comma. */
  readonly delimiter?: string | undefined;
}

/** A table: the names of its columns, and each row with the line that it is on. */
interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly line: number; readonly cells: readonly string[] }[];
}

/** A row whose picture is there. */
interface KeptRow {
  readonly name: string;
  readonly labels: readonly (string | undefined)[];
  readonly line: number;
}

const MAX_TABLE_BYTES = 2 ** 28;

/**
 * Pictures whose files and labels are in a CSV table with a header (RFC 4180, UTF-8). The values of a label column are its
 * classes: sorted as numbers where all of them are, else by name. Pictures are read as `imageFolder` reads them, and files that
 * are not there or cannot be used are left out and listed in the same way.
 *
 * @throws FileError, FormatError where the table cannot be read; ArgumentError for columns that it does not have; DataError for
 * missing labels
 * @example
 * const faces = await imageTable("faces.csv", { file: "path", labels: ["smile", "gender"], size: 64 });
 * faces.classNames; // of smile
 * faces.attributes.gender.labels;
 */
export function imageTable(path: string, options: ImageTableOptions): Promise<PictureDataset> {
  return openPictures(options, () => findPictures(path, options));
}

async function findPictures(path: string, options: ImageTableOptions): Promise<PictureSetParts> {
  const labelColumns = typeof options.labels === "string" ? [options.labels] : options.labels;
  const attributeColumns = (options.attributes ?? []).filter((name) => !labelColumns.includes(name));
  if (labelColumns.length + attributeColumns.length === 0)
    throw new ArgumentError("imageTable: labels names no column. Expected at least one.");
  const table = await readTable(path, options.delimiter);
  const fileColumn = columnOf(path, table, options.file);
  const allColumns = [...labelColumns, ...attributeColumns];
  const columns = allColumns.map((name) => columnOf(path, table, name));
  const wanted = Object.entries(options.where ?? {}).map(
    ([name, value]) => [columnOf(path, table, name), value] as const,
  );

  const folder = options.folder ?? dirname(path);
  const root = await realpath(folder).catch(() => {
    throw new FileError(
      `there is no folder ${folder}. Expected the folder that the paths in ${path} start from. Fix: check folder.`,
    );
  });
  const skipped: SkippedFile[] = [];
  const kept: KeptRow[] = [];
  for (const { line, cells } of table.rows) {
    if (wanted.some(([column, value]) => cells[column] !== value)) continue;
    const file = cells[fileColumn];
    const labels = columns.map((column) => (isMissing(cells[column]) ? undefined : cells[column]));
    const lacking = labels.indexOf(undefined);
    if (lacking !== -1 && lacking < labelColumns.length && (options.missing !== "keep" || lacking === 0)) {
      const what = `the label in ${JSON.stringify(labelColumns[lacking])} is ${cells[columns[lacking]] === "" ? "empty" : cells[columns[lacking]]}`;
      if (options.missing !== "skip") throw missingLabel(path, line, what, options.missing);
      skipped.push({ file: file || `line ${line}`, reason: what });
      continue;
    }
    const problem = await checkPath(file, folder, root);
    if (problem === undefined) kept.push({ name: isAbsolute(file) ? file : join(folder, file), labels, line });
    else skipped.push({ file: file || `line ${line}`, reason: problem });
  }
  checkRepeated(path, kept, labelColumns.length > 0);
  const attributes: [string, Attribute][] = allColumns.map((name, k) => {
    const values = kept.map(({ labels }) => labels[k]);
    const isClass = k === 0 && labelColumns.length > 0;
    return [name, toAttribute(values, isClass ? options.classNames : undefined, `${path}: ${name}`)];
  });
  const [first] = attributes;
  const { classNames, labels } =
    labelColumns.length > 0 ? first[1] : { classNames: ["picture"], labels: new Int32Array(kept.length) };
  if (options.classNames === undefined) warnOfAlike(path, classNames);
  return {
    name: path,
    split: Object.values(options.where ?? {}).join(" ") || "all",
    files: kept.map(({ name }) => fileAt(name)),
    labels,
    classNames,
    attributes: Object.fromEntries(attributes),
    skipped,
    everyClass: options.classNames === undefined,
  };
}

/**
 * Warns of pictures that are in several rows.
 *
 * @throws DataError where they have different classes
 */
function checkRepeated(path: string, rows: readonly KeptRow[], haveClasses: boolean): void {
  const seen = new Map<string, KeptRow>();
  const repeated: string[] = [];
  for (const row of rows) {
    const before = seen.get(row.name);
    if (before === undefined) {
      seen.set(row.name, row);
      continue;
    }
    if (haveClasses && before.labels[0] !== row.labels[0])
      throw new DataError(
        `${path}, lines ${before.line} and ${row.line}: ${row.name} is of the class ${JSON.stringify(before.labels[0])} and of ${JSON.stringify(row.labels[0])}. Expected one class for a picture. Fix: remove one of the lines.`,
      );
    repeated.push(`${row.name} (lines ${before.line} and ${row.line})`);
  }
  if (repeated.length === 0) return;
  warnOnce(
    `${path}: ${repeated.length === 1 ? "a picture is" : `${repeated.length} rows name a picture that is`} in another row already: ${nameSome(repeated)}. It counts as often as it is there, and may be learnt from and tested with. Fix: remove what is too much.`,
  );
}

/** Reads a table as rows of text. */
export async function readTable(path: string, delimiter?: string): Promise<Table> {
  const bytes = await readFile(path, { maxBytes: MAX_TABLE_BYTES });
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`${path} is not UTF-8 text. Expected a table as CSV. Fix: save it as "CSV UTF-8".`, {
      cause,
    });
  }
  const header = text.slice(0, text.search(/\r|\n|$/));
  const usual = header.includes(";") && !header.includes(",") ? ";" : ",";
  const { parse } = await import("csv-parse/sync");
  const rows: { line: number; cells: string[] }[] = [];
  try {
    parse(text, {
      delimiter: delimiter ?? (extname(path).toLowerCase() === ".tsv" ? "\t" : usual),
      skip_empty_lines: true,
      trim: true,
      on_record(cells: string[], { lines }) {
        rows.push({ line: lines, cells });
        return null;
      },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError(
      `${path}: ${reason}. Expected a table as CSV, with as many cells in every row. Fix: mend that line.`,
      {
        cause: error,
      },
    );
  }
  const columns = rows.shift()?.cells ?? [];
  if (rows.length === 0) {
    throw new DataError(
      `${path} has no rows. Expected a header with the names of the columns, and a row for each picture.`,
    );
  }
  const twice = columns.find((name, i) => columns.indexOf(name) !== i);
  if (twice !== undefined)
    throw new FormatError(
      `${path}: two columns are named ${JSON.stringify(twice)}. Expected different names. Fix: rename one.`,
    );
  return { columns, rows };
}

function columnOf(path: string, { columns }: Table, name: string): number {
  const column = columns.indexOf(name);
  if (column !== -1) return column;
  const meant = closestName(name, columns);
  throw new ArgumentError(
    `${path} has no column ${JSON.stringify(name)}.${meant === undefined ? "" : ` Did you mean ${JSON.stringify(meant)}?`} Expected one of ${nameSome(columns)}.`,
  );
}

/** Whether a cell of a table says that nothing is known. */
export function isMissing(cell: string): boolean {
  return ["", "nan", "na", "n/a", "null"].includes(cell.toLowerCase());
}

function missingLabel(path: string, line: number, what: string, mode: "error" | "keep" | undefined): DataError {
  const mend =
    mode === "keep"
      ? 'Fix: put it in, or remove the line; the column to learn must be complete (in programs missing: "skip" leaves such lines out).'
      : 'Fix: put it in, or use missing: "skip" to leave such rows out.';
  return new DataError(`${path}, line ${line}: ${what}. Expected a class. ${mend}`);
}

/** Why a path cannot be used, if it cannot. */
async function checkPath(file: string, folder: string, root: string): Promise<string | undefined> {
  if (file === "") return "there is no path";
  if (!isPictureName(file)) return "its name does not end as a picture's, such as .jpg or .png";
  const target = await realpath(isAbsolute(file) ? file : join(folder, file)).catch(() => undefined);
  if (target === undefined) return "there is no such file";
  return isWithin(target, root) ? undefined : `it leads out of the folder ${folder}`;
}

/**
 * Values as classes: numbers in their order where all are numbers, else texts in theirs.
 *
 * @param given the classes there are to be, in their order
 * @param what the values are, for errors
 */
export function toAttribute(
  values: readonly (string | undefined)[],
  given: readonly string[] | undefined,
  what: string,
): Attribute {
  const present = [...new Set(values.filter((value) => value !== undefined))];
  const numeric = present.every((value) => Number.isFinite(Number(value)));
  const classNames = given ?? (numeric ? present.sort((a, b) => Number(a) - Number(b)) : present.sort());
  const numbers = new Map(classNames.map((name, number) => [name, number]));
  const labels = Int32Array.from(values, (value) => {
    const number = value === undefined ? -1 : numbers.get(value);
    if (number !== undefined) return number;
    throw new DataError(
      `${what}: the class ${JSON.stringify(value)} is none of those expected: ${nameSome(classNames)}. Fix: mend the label, or remove its row.`,
    );
  });
  return { classNames, labels };
}

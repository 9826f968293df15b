/** Pictures in Parquet files, as hubs of data sets have them: a column of files' bytes, and columns of labels. */

import { brotliDecompressSync, gunzipSync } from "node:zlib";
import type { AsyncBuffer, FileMetaData } from "hyparquet";
import { ArgumentError, DataError, FormatError, FoveaError } from "../../core/errors.js";
import { closestName } from "../../core/suggest.js";
import type { ByteSource } from "../../formats/source.js";
import { nameSome, warnOfAlike } from "./layout.js";
import {
  type Attribute,
  openPictures,
  type PictureDataset,
  type PictureSetOptions,
  type PictureSetParts,
} from "./picture-dataset.js";
import { reopening } from "./reopening.js";
import type { PictureFile } from "./store.js";
import { isMissing, toAttribute } from "./table.js";

export interface ImageParquetOptions extends PictureSetOptions {
  /** The column with the pictures: the bytes of their files, or a structure with these as `bytes`. Default `image`. */
  readonly image?: string | undefined;
  /** The columns with labels: numbers or texts. The first is the class to learn; all are in the set's `attributes`. Default `label`. */
  readonly label?: string | readonly string[] | undefined;
}

/** One file, with what it says about itself. */
interface OpenedParquet {
  readonly path: string;
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly columns: readonly string[];
}

/**
 * Pictures in a Parquet file, or in several that belong together; each row has the bytes of a picture's file and its labels.
 * Where the file says what numbers stand for, as those of the Hugging Face hub do, that names the classes. Pictures are read as
 * `imageFolder` reads them; beside what it keeps a set has a row group of the file in memory.
 *
 * @throws FileError, FormatError for what is no whole Parquet file; ArgumentError for columns that it does not have; DataError
 * for rows without a class
 * @example const photos = await imageParquet("train.parquet", { image: "image", label: "label", size: 64 });
 */
export function imageParquet(path: string | readonly string[], options: ImageParquetOptions): Promise<PictureDataset> {
  return openPictures(options, () => findPictures(typeof path === "string" ? [path] : path, options));
}

/** The names of a file's columns. */
export async function parquetColumns(path: string): Promise<readonly string[]> {
  return (await openParquet(path)).columns;
}

async function findPictures(paths: readonly string[], options: ImageParquetOptions): Promise<PictureSetParts> {
  const { image = "image", label = "label", classNames } = options;
  const labels = typeof label === "string" ? [label] : label;
  if (paths.length === 0) throw new ArgumentError("imageParquet: there are no files. Expected at least one.");
  if (labels.length === 0) throw new ArgumentError("imageParquet: label names no column. Expected at least one.");
  const opened: OpenedParquet[] = [];
  for (const path of paths) opened.push(await openParquet(path));
  const files = opened.flatMap((parquet) => picturesOf(parquet, checkColumn(parquet, image)));
  const attributes: [string, Attribute][] = [];
  // Of classes that were named beforehand some may have no picture.
  let named = classNames !== undefined;
  for (const [k, column] of labels.entries()) {
    const values: (string | undefined)[] = [];
    for (const parquet of opened) values.push(...(await labelsOf(parquet, checkColumn(parquet, column), k === 0)));
    const names = namesOf(opened[0].metadata, column, values);
    const known = (k === 0 ? classNames : undefined) ?? names;
    if (k === 0) named ||= names !== undefined;
    attributes.push([column, toAttribute(values, known, `${paths[0]}: ${column}`)]);
  }
  const [, first] = attributes[0];
  if (classNames === undefined) warnOfAlike(paths[0], first.classNames);
  return {
    name: paths[0],
    split: "all",
    files,
    labels: first.labels,
    classNames: first.classNames,
    attributes: Object.fromEntries(attributes),
    skipped: [],
    everyClass: !named,
  };
}

async function openParquet(path: string): Promise<OpenedParquet> {
  const source = await reopening(path);
  const file = { byteLength: source.size, slice: (start: number, end = source.size) => slice(source, start, end) };
  return decoding(path, async ({ parquetMetadataAsync, parquetSchema }) => {
    // The library would say that an offset lies outside of something.
    if (source.size < 12) throw new Error(`it has ${source.size} bytes`);
    const metadata = await parquetMetadataAsync(file);
    if (metadata.num_rows === 0n) throw new DataError(`${path} has no rows. Expected one for each picture.`);
    return { path, file, metadata, columns: parquetSchema(metadata).children.map(({ element }) => element.name) };
  });
}

async function slice(source: ByteSource, start: number, end: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(Math.max(0, end - start));
  await source.read(bytes, start);
  return bytes.buffer;
}

/** Does something with the library that reads Parquet; what it cannot read is a fault of the file. */
async function decoding<T>(path: string, work: (library: typeof import("hyparquet")) => Promise<T>): Promise<T> {
  const library = await import("hyparquet");
  try {
    return await work(library);
  } catch (cause) {
    if (cause instanceof FoveaError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(
      `${path} cannot be read as Parquet: ${reason}. Expected a whole file, uncompressed or with Snappy, gzip or Brotli. Fix: write or download it again.`,
      { cause },
    );
  }
}

function checkColumn({ path, columns }: OpenedParquet, name: string): string {
  if (columns.includes(name)) return name;
  const meant = closestName(name, columns);
  throw new ArgumentError(
    `${path} has no column ${JSON.stringify(name)}.${meant === undefined ? "" : ` Did you mean ${JSON.stringify(meant)}?`} Expected one of ${nameSome(columns)}.`,
  );
}

type Row = Readonly<Record<string, unknown>>;

function readRows(
  { path, file, metadata }: OpenedParquet,
  column: string,
  rowStart = 0,
  rowEnd?: number,
): Promise<Row[]> {
  return decoding(path, ({ parquetReadObjects }) =>
    parquetReadObjects({
      ...{ file, metadata, columns: [column], rowStart, rowEnd, utf8: false },
      compressors: {
        GZIP: (input) => new Uint8Array(gunzipSync(input)),
        BROTLI: (input) => new Uint8Array(brotliDecompressSync(input)),
      },
    }),
  );
}

/** The pictures of a file, of whose row groups the last one that was read is kept. */
function picturesOf(parquet: OpenedParquet, column: string): PictureFile[] {
  let last: { readonly first: number; readonly rows: Promise<Row[]> } | undefined;
  const rowsOf = (first: number, count: number) => {
    if (last?.first !== first) last = { first, rows: readRows(parquet, column, first, first + count) };
    return last.rows;
  };
  const files: PictureFile[] = [];
  for (const { num_rows: rows, columns } of parquet.metadata.row_groups) {
    const [first, count] = [files.length, Number(rows)];
    const bytes = columns
      .filter(({ meta_data: about }) => about?.path_in_schema[0] === column)
      .reduce((sum, { meta_data: about }) => sum + Number(about?.total_uncompressed_size ?? 0), 0);
    for (let i = 0; i < count; i++) {
      const name = `${parquet.path}, row ${first + i + 1}`;
      // Whoever wants one picture has the whole group in memory meanwhile.
      files.push({
        name,
        size: async () => bytes,
        read: async () => bytesOf((await rowsOf(first, count))[i]?.[column], name),
      });
    }
  }
  return files;
}

function bytesOf(value: unknown, name: string): Uint8Array<ArrayBuffer> {
  const bytes = typeof value === "object" && value !== null && "bytes" in value ? value.bytes : value;
  // A copy, for it moves to the thread that decodes it.
  if (bytes instanceof Uint8Array) return new Uint8Array(bytes);
  throw new DataError(`cannot read ${name}: it has no picture's bytes. Expected those of a file. Fix: remove the row.`);
}

/** The labels of a column as texts. */
async function labelsOf(parquet: OpenedParquet, column: string, complete: boolean): Promise<(string | undefined)[]> {
  const rows = await readRows(parquet, column);
  return rows.map((row, i) => {
    const value = row[column];
    const text = value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value ?? "");
    if (!isMissing(text) && typeof value !== "object") return text;
    if (value instanceof Uint8Array && !isMissing(text)) return text;
    if (!complete) return undefined;
    throw new DataError(
      `${parquet.path}, row ${i + 1}: the label in ${JSON.stringify(column)} is ${text === "" ? "missing" : text}. Expected a number or a text. Fix: put it in, or name another column.`,
    );
  });
}

/** What the numbers of a column stand for, where the file says it as the Hugging Face hub does; puts the names in their place. */
function namesOf(
  metadata: FileMetaData,
  column: string,
  values: (string | undefined)[],
): readonly string[] | undefined {
  const about = metadata.key_value_metadata?.find(({ key }) => key === "huggingface")?.value;
  if (about === undefined) return undefined;
  let names: unknown;
  try {
    names = JSON.parse(about)?.info?.features?.[column]?.names;
  } catch {
    return undefined;
  }
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) return undefined;
  for (const [i, value] of values.entries()) {
    // A number that has no name is none of the classes, and is refused as that.
    if (value !== undefined) values[i] = names[Number(value)] ?? value;
  }
  return names;
}

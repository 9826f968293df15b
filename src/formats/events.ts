/**
 * TensorBoard's event files: records (TFRecord: length, masked CRC-32C of it, bytes, masked CRC-32C of these) of protobuf
 * messages (tensorflow/core/util/event.proto and framework/summary.proto, of which this is the part that is written here).
 */

import { crc32c } from "./crc32.js";
import {
  bytes,
  double,
  float,
  integer,
  joinBytes,
  MessageType,
  message,
  optional,
  readMessage,
  repeated,
  text,
  withDefault,
  writeMessage,
} from "./protobuf.js";

type Bytes = Uint8Array<ArrayBuffer>;

/** How many values lie where. */
export interface HistogramSummary {
  readonly min: number;
  readonly max: number;
  readonly num: number;
  readonly sum: number;
  readonly sumSquares: number;
  /** Where each bucket ends, from below to above. */
  readonly bucketLimit: readonly number[];
  readonly bucket: readonly number[];
}

export interface ImageSummary {
  readonly height: number;
  readonly width: number;
  /** Channels: 1 for grey, 3 for colours. */
  readonly colorspace: number;
  /** A PNG file. */
  readonly encodedImageString: Bytes;
}

/** One of the three. */
export interface SummaryValue {
  readonly tag: string;
  readonly simpleValue?: number | undefined;
  readonly image?: ImageSummary | undefined;
  readonly histo?: HistogramSummary | undefined;
}

export interface Event {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly fileVersion?: string | undefined;
  readonly summary?: { readonly value: readonly SummaryValue[] } | undefined;
  readonly sessionLog?: { readonly status: number } | undefined;
}

/** The first event of a file. */
export const eventVersion = "brain.Event:2";
/** With this status an event says that what other files have from its step on no longer counts. */
export const sessionStart = 1;

const histogramType = new MessageType<HistogramSummary>("histogram", () => ({
  min: withDefault(1, double, 0),
  max: withDefault(2, double, 0),
  num: withDefault(3, double, 0),
  sum: withDefault(4, double, 0),
  sumSquares: withDefault(5, double, 0),
  bucketLimit: repeated(6, double),
  bucket: repeated(7, double),
}));

const imageType = new MessageType<ImageSummary>("image", () => ({
  height: withDefault(1, integer, 0),
  width: withDefault(2, integer, 0),
  colorspace: withDefault(3, integer, 0),
  encodedImageString: withDefault(4, bytes, new Uint8Array(0)),
}));

const valueType = new MessageType<SummaryValue>("summary value", () => ({
  tag: withDefault(1, text, ""),
  simpleValue: optional(2, float),
  image: optional(4, message(imageType)),
  histo: optional(5, message(histogramType)),
}));

const summaryType = new MessageType<NonNullable<Event["summary"]>>("summary", () => ({
  value: repeated(1, message(valueType)),
}));

const sessionType = new MessageType<NonNullable<Event["sessionLog"]>>("session log", () => ({
  status: withDefault(1, integer, 0),
}));

const eventType = new MessageType<Event>("event", () => ({
  wallTime: withDefault(1, double, 0),
  step: withDefault(2, integer, 0),
  fileVersion: optional(3, text),
  summary: optional(5, message(summaryType)),
  sessionLog: optional(7, message(sessionType)),
}));

/** Bytes of a record that are not its contents. */
const before = 12;
const after = 4;

/** An event as a record. */
export function eventRecord(event: Event): Bytes {
  const contents = writeMessage(eventType, event);
  const head = new Uint8Array(before);
  const view = new DataView(head.buffer);
  view.setBigUint64(0, BigInt(contents.length), true);
  view.setUint32(8, maskedChecksum(head.subarray(0, 8)), true);
  const tail = new Uint8Array(after);
  new DataView(tail.buffer).setUint32(0, maskedChecksum(contents), true);
  return joinBytes([head, contents, tail]);
}

/** Checksums of data that hold checksums are no good ones; these are turned and moved. */
function maskedChecksum(bytes: Uint8Array): number {
  const sum = crc32c(bytes);
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}

/**
 * Where the records end that come before `step`, or before what is damaged or half-written.
 *
 * @param name of the file, for errors
 */
export function endOfEvents(file: Bytes, step: number, name: string): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let at = 0;
  while (at + before + after <= file.length) {
    const length = Number(view.getBigUint64(at, true));
    const end = at + before + length + after;
    if (view.getUint32(at + 8, true) !== maskedChecksum(file.subarray(at, at + 8)) || end > file.length) break;
    const contents = file.subarray(at + before, end - after);
    if (view.getUint32(end - after, true) !== maskedChecksum(contents)) break;
    const { summary, step: of } = readMessage(eventType, contents, name);
    if (summary !== undefined && of >= step) break;
    at = end;
  }
  return at;
}

/** Values in 30 buckets of equal width. */
export function histogramOf(values: ArrayLike<number>): HistogramSummary {
  const count = 30;
  let [min, max, sum, sumSquares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    sumSquares += value * value;
  }
  const width = (max - min) / count;
  // Where all values are the same, one bucket around them.
  if (width === 0)
    return { min, max, num: values.length, sum, sumSquares, bucketLimit: [max], bucket: [values.length] };
  const bucket = new Array<number>(count).fill(0);
  for (let i = 0; i < values.length; i++) bucket[Math.min(count - 1, Math.floor((values[i] - min) / width))]++;
  const bucketLimit = bucket.map((_, i) => (i === count - 1 ? max : min + (i + 1) * width));
  return { min, max, num: values.length, sum, sumSquares, bucketLimit, bucket };
}

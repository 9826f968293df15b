/** TensorBoard's event files, read by a decoder that is not ours, with the messages as TensorFlow declares them. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";

/** The part of tensorflow/core/util/event.proto and framework/summary.proto that is used. */
const eventMessage = protobuf
  .parse(
    `syntax = "proto3";
    message HistogramProto {
      double min = 1; double max = 2; double num = 3; double sum = 4; double sum_squares = 5;
      repeated double bucket_limit = 6 [packed = true]; repeated double bucket = 7 [packed = true];
    }
    message Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
    message Value {
      string tag = 1;
      oneof value { float simple_value = 2; Image image = 4; HistogramProto histo = 5; }
    }
    message Summary { repeated Value value = 1; }
    message SessionLog { enum SessionStatus { STATUS_UNSPECIFIED = 0; START = 1; } SessionStatus status = 1; }
    message Event {
      double wall_time = 1; int64 step = 2;
      oneof what { string file_version = 3; Summary summary = 5; SessionLog session_log = 7; }
    }`,
    { keepCase: true },
  )
  .root.lookupType("Event");

export interface Histogram {
  readonly [name: string]: number | readonly number[];
  readonly bucket: readonly number[];
  readonly bucket_limit: readonly number[];
}

export interface ReadEvent {
  readonly wall_time: number;
  readonly step: number;
  readonly file_version?: string;
  readonly session_log?: { readonly status: string };
  readonly summary?: {
    readonly value: readonly {
      readonly tag: string;
      readonly simple_value?: number;
      readonly image?: { readonly encoded_image_string: Uint8Array; readonly [name: string]: unknown };
      readonly histo?: Histogram;
    }[];
  };
}

/** Castagnoli's checksum, bit by bit, masked as TFRecord has it. */
export function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** The events of a file. @throws where a record is cut or its checksums are wrong */
export function readEvents(path: string): ReadEvent[] {
  const file = readFileSync(path);
  const events: ReadEvent[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    assert.equal(file.readUInt32LE(at + 8), maskedCrc(file.subarray(at, at + 8)), `length at ${at}`);
    const contents = file.subarray(at + 12, at + 12 + length);
    assert.equal(file.readUInt32LE(at + 12 + length), maskedCrc(contents), `record at ${at}`);
    const event = eventMessage.toObject(eventMessage.decode(contents), { longs: Number, enums: String });
    // What is 0 is not written.
    events.push({ wall_time: 0, step: 0, ...event });
    at += length + 16;
  }
  return events;
}

/** All events of a folder, file by file in the order of their names. */
export function readEventFolder(folder: string): ReadEvent[] {
  const files = readdirSync(folder).sort();
  for (const name of files) assert.match(name, /^events\.out\.tfevents\.\d+\./);
  return files.flatMap((name) => readEvents(join(folder, name)));
}

/** What was said of which step: the tags with their steps, none of them twice. */
export function summaries(events: readonly ReadEvent[]): string[] {
  const all = events.flatMap(({ step, summary }) => (summary?.value ?? []).map(({ tag }) => `${tag} of step ${step}`));
  assert.equal(new Set(all).size, all.length, "something is said twice");
  return all.sort();
}

/** Event files, read by protobufjs with TensorFlow's declarations. */

import assert from "node:assert/strict";
import { appendFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { maskedCrc, readEventFolder, readEvents, summaries } from "../../test/support/events.js";
import { crc32c } from "../formats/crc32.js";
import { EventWriter } from "./event-writer.js";

const folder = await mkdtemp(join(tmpdir(), "fovea-events-"));
after(() => rm(folder, { recursive: true }));

describe("event files", () => {
  it("have Castagnoli's checksums", () => {
    // RFC 3720, B.4.
    assert.equal(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
    assert.equal(maskedCrc(new Uint8Array(32)), (((0x8a9136aa >>> 15) | (0x8a9136aa << 17)) + 0xa282ead8) >>> 0);
  });

  it("hold numbers, histograms and pictures of a step", async () => {
    const writer = await EventWriter.open(join(folder, "all/first"));
    await writer.scalars({ "loss/train": 0.5, zero: 0, none: Number.NaN }, 3);
    await writer.scalar("größe", -2, 2 ** 40);
    await writer.histogram("weights", Float32Array.of(-1, 0, 0, 0.25, 2), 4);
    await writer.histogram("same", [7, 7], 4);
    await writer.image("grey", { width: 2, height: 1, channels: 1, data: Uint8Array.of(0, 255) }, 5);
    await writer.close();
    const [begin, numbers, big, histogram, same, image] = readEvents(writer.path);
    assert.equal(begin.file_version, "brain.Event:2");
    assert.ok(Math.abs(begin.wall_time - Date.now() / 1000) < 60);
    assert.deepEqual(
      [numbers.step, numbers.summary?.value],
      [
        3,
        [
          { tag: "loss/train", simple_value: 0.5 },
          { tag: "zero", simple_value: 0 },
          { tag: "none", simple_value: Number.NaN },
        ],
      ],
    );
    assert.deepEqual([big.step, big.summary?.value[0].tag], [2 ** 40, "größe"]);
    const { bucket = [], bucket_limit: limits = [], ...sums } = histogram.summary?.value[0].histo ?? {};
    assert.deepEqual(sums, { min: -1, max: 2, num: 5, sum: 1.25, sum_squares: 5.0625 });
    // Buckets of a tenth from -1 on, each with what is below its limit; the last with the largest.
    assert.deepEqual([bucket.length, limits[29]], [30, 2]);
    for (const [i, limit] of limits.entries()) assert.ok(Math.abs(limit - (-0.9 + i / 10)) < 1e-9);
    assert.deepEqual(
      Object.entries(bucket).filter(([, count]) => count > 0),
      [
        ["0", 1],
        ["10", 2],
        ["12", 1],
        ["29", 1],
      ],
    );
    assert.deepEqual(same.summary?.value[0].histo?.bucket, [2]);
    const { encoded_image_string: png = new Uint8Array(), ...size } = image.summary?.value[0].image ?? {};
    assert.deepEqual(size, { height: 1, width: 2, colorspace: 1 });
    assert.equal(Buffer.from(png.subarray(1, 4)).toString(), "PNG");
  });

  it("go on in a new one, without what is said again or was cut in the middle", async () => {
    const logs = join(folder, "resumed");
    const write = async (from: number, to: number, resumeAt?: number) => {
      const writer = await EventWriter.open(logs, resumeAt === undefined ? {} : { resumeAt });
      for (let step = from; step <= to; step++) await writer.scalar("loss", 1 / step, step);
      await writer.close();
      return writer.path;
    };
    const first = await write(1, 5);
    await write(4, 7, 4);
    // A record that a process had no time to finish.
    await appendFile(first, Buffer.from([40, 0, 0, 0, 0, 0, 0, 0, 1]));
    await writeFile(join(logs, "events.out.tfevents.1.empty"), "");
    await write(7, 8, 7);
    assert.equal((await readdir(logs)).length, 4);
    const events = readEventFolder(logs);
    assert.deepEqual(
      summaries(events),
      Array.from({ length: 8 }, (_, i) => `loss of step ${i + 1}`),
    );
    // TensorBoard forgets what it has already read of the rest.
    const starts = events.filter(({ session_log: session }) => session !== undefined);
    assert.deepEqual(
      starts.map(({ step, session_log: session }) => [step, session?.status]),
      [
        [4, "START"],
        [7, "START"],
      ],
    );
    assert.equal(await EventWriter.isIn(logs), true);
    assert.equal(await EventWriter.isIn(join(folder, "nowhere")), false);
  });

  it("refuse what they cannot hold", async () => {
    const writer = await EventWriter.open(join(folder, "refused"));
    await assert.rejects(writer.scalar("loss", 1, -1), /step is -1\. Expected an integer of 0 or more/);
    await assert.rejects(writer.histogram("w", [1, Number.NaN], 0), /histogram: w has values that are NaN/);
    await assert.rejects(writer.histogram("w", [], 0), /histogram: w has no values/);
    const picture = { width: 1, height: 1, channels: 4, data: new Uint8Array(4) } as const;
    await assert.rejects(writer.image("p", picture, 0), /image: p has 4 channels\. Expected 1 \(grey\) or 3/);
    await writer.close();
    assert.equal(readEvents(writer.path).length, 1);
    await assert.rejects(EventWriter.open(join(writer.path, "below")), /there is a file of that name/);
  });
});

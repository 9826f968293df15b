/** `--tensorboard`: what becomes of a run, as TensorBoard shows it. */

import { basename, join, resolve } from "node:path";
import { ArgumentError } from "../core/errors.js";
import { contactSheet } from "../data/contactSheet.js";
import type { LabelledImages } from "../data/images.js";
import { fromPlanar } from "../data/pixels.js";
import { EventWriter } from "../node/event-writer.js";
import type { Trainer } from "../train/trainer.js";
import { Album, FirstPictures, type Strip, WorstPictures } from "./pixel-strips.js";
import type { RunFolder } from "./run-folder.js";
import type { SavedModel } from "./saved-model.js";
import type { PixelScores } from "./score-texts.js";
import { scoreSet, surestMistakes } from "./scoring.js";
import type { TrainFlags } from "./settings.js";

/** Where the events of the run in `run` belong: a folder of that name, so that several runs are shown together. */
function eventFolder(logs: string, run: string): string {
  return join(logs, basename(resolve(run)));
}

/** Throws when there are events of another run where those of a new one belong. */
export async function checkNoEvents(logs: string, run: string): Promise<void> {
  const folder = eventFolder(logs, run);
  if (await EventWriter.isIn(folder)) {
    throw new ArgumentError(
      `--tensorboard: ${folder} already holds events of a run. Fix: delete them, or another folder for --tensorboard or --out.`,
    );
  }
}

/** Begins a file of events; what an earlier part of the run has there beyond the place that it goes on from is cut off. */
export function openEvents(
  { tensorboard, batch }: TrainFlags,
  run: RunFolder,
  trainer: Trainer,
  samples: number,
  resuming: boolean,
): Promise<EventWriter> | undefined {
  if (tensorboard === undefined) return undefined;
  const folder = eventFolder(tensorboard, run.path);
  if (!resuming) return EventWriter.open(folder);
  // What is said at the end of an epoch is said again where only its batches are done.
  const isEnd = trainer.position.batch * batch >= samples;
  return EventWriter.open(folder, { resumeAt: trainer.optimizer.steps + (isEnd ? 0 : 1) });
}

/** The most pictures of a sheet. */
const mostMistakes = 24;

/** Adds the test pictures that a model is surest of and wrong about, as one picture. */
export async function logMistakes(
  events: EventWriter,
  saved: Pick<SavedModel, "model" | "normalization">,
  data: LabelledImages,
  step: number,
  signal: AbortSignal,
): Promise<void> {
  const mistakes = surestMistakes(await scoreSet(saved, data, undefined, signal), mostMistakes);
  if (mistakes.length === 0) return;
  const [channels, height, width] = data.shape;
  const pictures = await Promise.all(
    mistakes.map(async (i) => fromPlanar((await data.get(i)).image, [channels === 1 ? 1 : 3, height, width])),
  );
  await events.image("mistakes", contactSheet(pictures, { columns: 8 }), step);
}

/** Of networks for pixels: the first test pictures, to see how they come out epoch by epoch, and the worst ones. */
export class EventAlbum extends Album {
  readonly first = new FirstPictures(4);
  readonly worst = new WorstPictures(8);

  override add(badness: number, make: () => Strip): void {
    for (const album of [this.first, this.worst]) album.add(badness, make);
  }
}

/** Adds what was measured of the test pictures' pixels, and some of them beside what became of them; the worst at the end. */
export async function logPixels(
  events: EventWriter,
  { meanIou, classIou = {}, psnr, ssim }: PixelScores,
  { first, worst }: EventAlbum,
  { step, isEnd }: { readonly step: number; readonly isEnd: boolean },
): Promise<void> {
  await events.scalars(
    {
      ...(meanIou !== undefined && { "mean IoU/test": meanIou }),
      ...Object.fromEntries(Object.entries(classIou).map(([name, iou]) => [`IoU/${name}`, iou])),
      ...(psnr !== undefined && { "PSNR/test": psnr }),
      ...(ssim !== undefined && { "SSIM/test": ssim }),
    },
    step,
  );
  await events.image("test pictures", sheetOf(first.strips), step);
  if (isEnd) await events.image("worst pictures", sheetOf(worst.strips), step);
}

/** A row for each strip. */
function sheetOf(strips: readonly Strip[]) {
  const pictures = strips.flatMap((strip) => strip.pictures.map(({ picture }) => picture));
  return contactSheet(pictures, { columns: strips[0].pictures.length, scale: pictures[0].width < 100 ? 2 : 1 });
}

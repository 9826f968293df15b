/** Some pictures that a model got wrong, drawn in the terminal. */

import type { Normalization } from "../core/normalization.js";
import type { LabelledImages } from "../data/images.js";
import type { Layer } from "../nn/layers/container.js";
import { predict, ranking } from "../train/predict.js";
import { explain, formatCount, say } from "./output.js";
import { type Block, cropPicture, drawPicture, gap, shrinkPicture, sideBySide, toPicture } from "./picture.js";
import { colours, terminalWidth } from "./terminal.js";

/** Enough pictures to find mistakes in, few enough to be quick. */
const searched = 2000;
const most = { count: 4, width: 32 };

/** Draws a few of the test pictures that the model names wrongly, with what it took them for. */
export async function showMistakes(model: Layer, data: LabelledImages, normalization: Normalization): Promise<void> {
  const found: { readonly index: number; readonly label: number; readonly answer: number; readonly sure: number }[] =
    [];
  const part = data.subset(Array.from({ length: Math.min(searched, data.size) }, (_, index) => index));
  for await (const { index, label, probabilities } of predict(model, part, { normalization })) {
    const [answer] = ranking(probabilities);
    if (answer !== label) found.push({ index, label, answer, sure: probabilities[answer] });
  }
  const all = part.size === data.size ? "" : "first ";
  const tested = `the ${all}${formatCount(part.size)} test pictures`;
  say();
  if (found.length === 0) {
    explain(`None of ${tested} is named wrongly.`);
    return;
  }
  // The mistakes that it was surest of say the most.
  found.sort((a, b) => b.sure - a.sure);
  const blocks: Block[] = [];
  let width = 0;
  for (const { index, label, answer, sure } of found.slice(0, most.count)) {
    const picture = shrinkPicture(cropPicture(toPicture((await part.get(index)).image, data.shape)), most.width);
    const captions = [
      `is ${data.classNames[label]}`,
      `named ${data.classNames[answer]}`,
      `${Math.round(100 * sure)} % sure`,
    ];
    const block = {
      width: Math.max(picture.width, ...captions.map((text) => text.length)),
      lines: [] as string[],
    };
    const margin = " ".repeat(block.width - picture.width);
    block.lines.push(...captions.map((text) => text.padEnd(block.width)), " ".repeat(block.width));
    block.lines.push(...drawPicture(picture, colours()).map((line) => line + margin));
    width += block.width + gap;
    if (width - gap >= terminalWidth()) break;
    blocks.push(block);
  }
  explain(`${formatCount(found.length)} of ${tested} are named wrongly; the surest mistakes:`);
  for (const line of sideBySide(blocks)) say(line);
}

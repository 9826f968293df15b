/**
 * Pictures to a convolutional network and to a fully connected one that has over four times as many parameters: by one recipe,
 * on CIFAR-10 as it is.
 */

import { Command } from "commander";
import { models, type nn } from "fovea";
import { classNames } from "fovea/classes";
import { loadColourPictures, withColourOptions } from "./colour-pictures.js";
import {
  accuracyOf,
  describe,
  type Flags,
  figuresOf,
  learn,
  type Plans,
  planOf,
  summarize,
  summaryRows,
  tableRow,
} from "./experiment.js";

const plans: Plans = {
  full: { size: 50_000, testSize: 10_000, epochs: 8, seeds: 1 },
  quick: { size: 400, testSize: 200, epochs: 12, seeds: 1 },
};

/** With 2,004,458 parameters for ten classes, and a fully connected one with 8,921,610; `width` multiplies all layers. */
function makeNetworks(numClasses: number, width: number) {
  return {
    cnn: () =>
      models.pattern("[CONV-BN-RELU-POOL]*3 FC-RELU SOFTMAX", {
        inputShape: [3, 32, 32],
        numClasses,
        channels: 32 * width,
        units: 928 * width,
      }),
    fcn: () => models.create("mlp", { inChannels: 3, size: [32, 32], hidden: [2048, 1024, 512], numClasses, width }),
  };
}

async function run(settings: Flags): Promise<void> {
  const { json = false, quick = false } = settings;
  const begun = performance.now();
  const chosen = planOf(settings, plans);
  const pictures = await loadColourPictures(settings, chosen);
  const { train, test } = pictures;
  const say = (text: string) => json || console.log(text);
  const networks = makeNetworks(train.classNames.length, quick ? 1 / 4 : 1);
  const parameters = { cnn: networks.cnn().parameterCount(), fcn: networks.fcn().parameterCount() };
  say(`${describe(pictures, chosen)}.\n`);
  say(tableRow("", ["CNN", "fully connected"]));
  say(tableRow("weights", [parameters.cnn.toLocaleString("en"), parameters.fcn.toLocaleString("en")]));
  say(tableRow("seed", ["%", "%"]));
  const accuracies: { readonly cnn: number[]; readonly fcn: number[] } = { cnn: [], fcn: [] };
  for (let seed = 0; seed < chosen.seeds; seed++) {
    for (const name of ["cnn", "fcn"] as const) {
      const { trainer } = await learn<nn.Layer>(networks[name], train, { epochs: chosen.epochs, seed });
      accuracies[name].push(await accuracyOf(trainer, test));
    }
    say(tableRow(seed, [accuracies.cnn[seed], accuracies.fcn[seed]]));
  }
  const [cnn, fcn] = [summarize(accuracies.cnn), summarize(accuracies.fcn)];
  const seconds = (performance.now() - begun) / 1000;
  if (json) {
    const outcome = (name: "cnn" | "fcn", accuracy: typeof cnn) => ({
      parameters: parameters[name],
      accuracies: accuracies[name],
      accuracy,
    });
    console.log(
      JSON.stringify({
        ...figuresOf(pictures, chosen),
        cnn: outcome("cnn", cnn),
        fullyConnected: outcome("fcn", fcn),
        seconds,
      }),
    );
    return;
  }
  console.log(summaryRows([cnn, fcn]));
  if (train.classNames.join() === classNames.cifar10.join()) console.log(tableRow("lecture", [67.8, 50.6]));
  console.log(`\n${seconds.toFixed(0)} s.`);
}

export const command = withColourOptions(
  new Command("cifar-cnn").description(
    "2 million parameters of a CNN against 9 million of a fully connected network, on CIFAR-10 (9 minutes of two cores)",
  ),
  plans,
).action(run);

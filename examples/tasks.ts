/**
 * One network for three questions against one network for each: does a face smile, how old is it, is it a man's or a woman's?
 * All read the same faces with the same body; the three networks together learn as long as the one. And what the other two
 * questions are worth to the first where few faces are labelled with a smile.
 */

import { Command } from "commander";
import { annotate, faces, nn, tasks } from "fovea";
import { type Flags, type Plan, type Plans, planOf, type Summary, summarize, withPlanOptions } from "./experiment.js";
import { faceFeatures, learnFaces, makeBody } from "./faces.js";

const plans: Plans = {
  full: { size: 2000, testSize: 2000, epochs: 6, seeds: 5 },
  quick: { size: 200, testSize: 100, epochs: 1, seeds: 1 },
};

type Faces = Awaited<ReturnType<typeof faces>>;
type Name = "smile" | "gender" | "age";
const names: readonly Name[] = ["smile", "gender", "age"];

/** Shares of right answers in percent, and by how many years ages are off in the mean. */
type Scores = Partial<Record<Name, number>>;

interface Way {
  readonly name: string;
  /** The networks, by what each is asked. */
  readonly networks: readonly (readonly Name[])[];
  readonly learntWeights?: true;
  /** Of so many faces one is labelled with a smile. */
  readonly smileOfEvery?: number;
  /** Every network learns so many times as long as one of three. */
  readonly times: number;
}

const ways: readonly Way[] = [
  { name: "a network for each", networks: [["smile"], ["gender"], ["age"]], times: 1 },
  { name: "one for all, a third as long", networks: [names], times: 1 },
  { name: "one for all, as long", networks: [names], times: 3 },
  { name: "one for all, learnt weights", networks: [names], times: 3, learntWeights: true },
  { name: "few smiles known, one for smiles", networks: [["smile"]], times: 3, smileOfEvery: 10 },
  { name: "few smiles known, one for all", networks: [names], times: 3, smileOfEvery: 10 },
];

async function tryWay(way: Way, train: Faces, test: Faces, { epochs }: Plan, seed: number): Promise<Scores> {
  const { smile, gender, age } = train.annotations;
  const few = smile.map((value, i) => (i % (way.smileOfEvery ?? 1) === 0 ? value : -1));
  const data = annotate(train.pictures, { smile: few, gender, age });
  const questions = {
    smile: tasks.classification(["no smile", "smile"]),
    gender: tasks.classification(["male", "female"]),
    age: tasks.regression(tasks.meanAndStd(age)),
  };
  const found: Scores = {};
  for (const asked of way.networks) {
    const chosen = Object.fromEntries(asked.map((name) => [name, questions[name]]));
    const heads = Object.fromEntries(asked.map((name) => [name, new nn.Linear(faceFeatures, questions[name].width)]));
    const kinds = Object.fromEntries(asked.map((name) => [name, questions[name].kind]));
    const { trainer } = await learnFaces(() => new nn.MultiHead(makeBody(), heads), data, {
      epochs: way.times * epochs,
      seed,
      options: { tasks: chosen, ...(way.learntWeights && { taskWeights: new nn.UncertaintyWeights(kinds) }) },
    });
    const { tasks: scores = {} } = await trainer.evaluate(test);
    for (const name of asked) {
      const score = scores[name];
      found[name] = (score.kind === "classification" ? 100 * (score.accuracy ?? 0) : score.error) ?? 0;
    }
  }
  return found;
}

function row(name: string, cells: readonly (string | undefined)[]): string {
  return `${name.padEnd(42)}${cells.map((cell) => (cell ?? "").padStart(16)).join("")}`;
}

const digits = { smile: 1, gender: 1, age: 2 } as const;

function cell({ mean, spread }: Summary, name: Name): string {
  return `${mean.toFixed(digits[name])}${spread === null ? "" : ` ± ${spread.toFixed(digits[name])}`}`;
}

async function run(plan: Plan, json: boolean): Promise<void> {
  const { size, testSize, epochs, seeds } = plan;
  const say = (line: string) => (json ? undefined : console.log(line));
  const started = performance.now();
  say(`faces: ${size} to learn from, ${testSize} to test with; ${epochs} epochs each, one for all ${3 * epochs}`);
  say(row("", ["smile, % right", "gender, % right", "age, years off"]));
  const found = new Map<string, Scores[]>(ways.map(({ name }) => [name, []]));
  for (let seed = 0; seed < seeds; seed++) {
    const train = await faces({ split: "train", size, seed });
    const test = await faces({ split: "test", size: testSize, seed });
    for (const way of ways) {
      const scores = await tryWay(way, train, test, plan, seed);
      found.get(way.name)?.push(scores);
      say(
        row(
          `${way.name} (seed ${seed})`,
          names.map((name) => scores[name]?.toFixed(digits[name])),
        ),
      );
    }
  }
  const table = [...found].map(([name, each]) => {
    const summaries = names.flatMap((task) => {
      const values = each.flatMap((scores) => scores[task] ?? []);
      return values.length === 0 ? [] : [[task, summarize(values)] as const];
    });
    return { name, scores: Object.fromEntries(summaries) as Partial<Record<Name, Summary>> };
  });
  const seconds = Math.round((performance.now() - started) / 1000);
  if (json) {
    console.log(JSON.stringify({ ...plan, ways: table, seconds }));
    return;
  }
  say(`\nmeans of ${seeds} seed${seeds === 1 ? "" : "s"}, ± standard deviation; ${seconds} seconds`);
  for (const { name, scores } of table) {
    say(
      row(
        name,
        names.map((task) => scores[task] && cell(scores[task], task)),
      ),
    );
  }
}

export const command = withPlanOptions(
  new Command("tasks").description(
    "smile, age and gender by one network, against a network for each (6 minutes of one core)",
  ),
  plans,
).action((flags: Flags) => run(planOf(flags, plans), flags.json === true));

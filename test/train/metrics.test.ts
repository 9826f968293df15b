/** Metrics against scikit-learn and NumPy (test/goldens/metrics.py), and what they say to wrong arguments. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { RandomStream } from "../../src/core/philox.js";
import { metrics } from "../../src/index.js";
import { drawBinomial } from "../../src/train/metrics/resampling.js";

interface Binary {
  readonly scores: readonly number[];
  readonly labels: readonly number[];
  readonly roc: { readonly false: readonly number[]; readonly true: readonly number[]; readonly thresholds: number[] };
  readonly area: number;
  readonly pr: { readonly precision: number[]; readonly recall: number[]; readonly thresholds: number[] };
  readonly average_precision: number;
  readonly area_pr: number;
  readonly brier: number;
  readonly reliability: { readonly observed: number[]; readonly predicted: number[] };
}

interface Multiclass {
  readonly rows: readonly (readonly number[])[];
  readonly labels: readonly number[];
  readonly accuracy: number;
  readonly top: readonly number[];
  readonly confusion: readonly (readonly number[])[];
  readonly precision: readonly number[];
  readonly recall: readonly number[];
  readonly f1: readonly number[];
  readonly support: readonly number[];
  readonly means: Readonly<Record<"macro" | "weighted", readonly number[]>>;
  readonly areas: Readonly<Record<string, number>>;
  readonly area_macro: number;
  readonly area_weighted: number;
  readonly precision_macro: number;
  readonly expected_error: number;
  readonly largest_error: number;
  readonly brier: number;
}

interface Group {
  readonly count: number;
  readonly rates: Readonly<Record<metrics.RateName, number>>;
  readonly accuracy_interval: readonly [number, number];
  readonly hit_interval: readonly [number, number];
}

interface Subgroups {
  readonly gender: readonly string[];
  readonly smile: readonly number[];
  readonly labels: readonly number[];
  readonly predicted: readonly number[];
  readonly groups: Readonly<Record<string, Group>>;
  readonly best: string;
  readonly worst: string;
  readonly gap: number;
  readonly gap_interval: readonly [number, number];
}

const goldens: { binary: Binary[]; multiclass: Multiclass[]; subgroups: Subgroups } = JSON.parse(
  readFileSync(new URL("../../../test/goldens/metrics.json", import.meta.url), "utf8"),
);

function close(found: ArrayLike<number>, expected: ArrayLike<number>, what: string, tolerance = 1e-12): void {
  assert.equal(found.length, expected.length, what);
  for (let i = 0; i < found.length; i++)
    assert.ok(Math.abs(found[i] - expected[i]) <= tolerance, `${what} ${i}: ${found[i]}, not ${expected[i]}`);
}

describe("metrics of two classes", () => {
  for (const [i, golden] of goldens.binary.entries()) {
    const { scores, labels } = golden;
    it(`case ${i}: curves, areas and reliability are scikit-learn's`, () => {
      const roc = metrics.rocCurve(scores, labels);
      close(roc.falsePositiveRate, golden.roc.false, "false positives");
      close(roc.truePositiveRate, golden.roc.true, "true positives");
      close(roc.thresholds.slice(1), golden.roc.thresholds, "thresholds");
      assert.equal(roc.thresholds[0], Number.POSITIVE_INFINITY);
      close([roc.area], [golden.area], "area");
      const curve = metrics.precisionRecallCurve(scores, labels);
      close(curve.precision, golden.pr.precision, "precision");
      close(curve.recall, golden.pr.recall, "recall");
      close(curve.thresholds, golden.pr.thresholds, "thresholds of precision");
      close([curve.averagePrecision], [golden.average_precision], "average precision");
      close([metrics.areaUnder(curve.recall, curve.precision)], [golden.area_pr], "trapezoids");
      close([metrics.brierScore(scores, labels)], [golden.brier], "Brier score");
    });
  }
});

describe("metrics of several classes", () => {
  for (const [i, golden] of goldens.multiclass.entries()) {
    const { rows, labels } = golden;
    const report = metrics.classificationReport(rows, labels, { topK: golden.top.map((_, k) => k + 1), bins: 10 });
    it(`case ${i}: accuracy, top-k, confusions, precision and recall are scikit-learn's`, () => {
      assert.equal(report.accuracy, golden.accuracy);
      close(
        report.topK.map((each) => each.accuracy),
        golden.top,
        "top",
      );
      assert.equal(report.topK[0].accuracy, golden.accuracy, "the first of equal scores is the answer");
      assert.deepEqual(report.confusion, golden.confusion);
      for (const name of ["precision", "recall", "f1", "support"] as const) {
        close(
          report.classes.map((each) => each[name]),
          golden[name],
          name,
        );
      }
      for (const name of ["macro", "weighted"] as const) {
        const { precision, recall, f1 } = report[name];
        close([precision, recall, f1], golden.means[name], name);
      }
    });
    it(`case ${i}: areas, calibration and Brier score are as defined`, () => {
      for (const [k, { rocArea }] of report.classes.entries()) {
        const expected = golden.areas[String(k)];
        if (expected === undefined) assert.equal(rocArea, undefined, `class ${k} does not occur`);
        else close([rocArea ?? -1], [expected], `area of class ${k}`);
      }
      const areas = metrics.rocAreas(rows, labels);
      const precisions = metrics.averagePrecisions(rows, labels);
      close(
        [areas.macro, areas.weighted, precisions.macro],
        [golden.area_macro, golden.area_weighted, golden.precision_macro],
        "means",
      );
      const { expectedError, largestError, bins } = report.calibration;
      close([expectedError, largestError], [golden.expected_error, golden.largest_error], "calibration");
      assert.equal(
        bins.reduce((sum, { count }) => sum + count, 0),
        labels.length,
      );
      close([report.brier], [golden.brier], "Brier score");
    });
  }

  it("bins are closed above: a confidence of 0.7 is in the seventh of ten", () => {
    for (const confidence of [0.6, 0.7, 0.9]) {
      const { bins } = metrics.calibration([[confidence, 1 - confidence]], [0], { bins: 10 });
      const [only] = bins.filter(({ count }) => count > 0);
      assert.equal(only.to, confidence);
    }
  });
});

describe("subgroupReport", () => {
  const { gender, smile, labels, predicted, groups, best, worst, gap, gap_interval } = goldens.subgroups;
  const options = { by: ["gender", "smile"], resamples: 2000, seed: 3 };
  const report = metrics.subgroupReport(predicted, labels, { gender, smile }, options);
  const found = [report.overall, ...report.partitions.flatMap((partition) => partition.groups)];

  it("gives scikit-learn's rates for each group and each combination", () => {
    assert.deepEqual(
      found.map(({ name }) => name),
      Object.keys(groups),
    );
    for (const { name, count, rates } of found) {
      assert.equal(count, groups[name].count);
      for (const rate of metrics.rateNames)
        close([rates[rate]?.value ?? -1], [groups[name].rates[rate]], `${name} ${rate}`);
    }
    assert.equal(report.partitions[2].worst?.name, worst);
    assert.deepEqual(report.partitions[2].worst?.values, { gender: "m", smile: "1" });
  });

  it("gives the intervals of NumPy's bootstrap", () => {
    for (const { name, rates } of found) {
      const { accuracy, truePositiveRate } = rates;
      close([accuracy?.low ?? -1, accuracy?.high ?? -1], groups[name].accuracy_interval, name, 0.015);
      close([truePositiveRate?.low ?? -1, truePositiveRate?.high ?? -1], groups[name].hit_interval, name, 0.025);
    }
    const difference = report.partitions[2].differences.accuracy;
    assert.deepEqual([difference?.highest, difference?.lowest], [best, worst]);
    close([difference?.value ?? -1], [gap], "gap");
    close([difference?.low ?? -1, difference?.high ?? -1], gap_interval, "interval of the gap", 0.02);
  });

  it("the same seed gives the same intervals, another one others", () => {
    const again = metrics.subgroupReport(predicted, labels, { gender, smile }, options);
    assert.deepEqual(again, report);
    const other = metrics.subgroupReport(predicted, labels, { gender, smile }, { ...options, seed: 4 });
    assert.notDeepEqual(other.overall.rates.accuracy, report.overall.rates.accuracy);
  });

  it("says which groups are too small, keeps them out of comparisons, and names absent combinations", () => {
    const right = Array.from({ length: 80 }, (_, i) => i % 2);
    const attributes = { team: right.map((_, i) => (i < 5 ? "few" : "many")), kind: right.map((_, i) => i < 5) };
    const wrong = right.map((label, i) => (i < 5 ? 1 - label : label));
    const { partitions, warnings } = metrics.subgroupReport(wrong, right, attributes, { by: ["team", "kind"] });
    assert.match(warnings[0], /^team=few: 5 samples, too few to say \(fewer than 30\)/);
    assert.match(warnings.at(-1) ?? "", /^2 of 4 combinations of team, kind do not occur/);
    assert.deepEqual(
      partitions[0].groups.map(({ tooSmall }) => tooSmall),
      [true, false],
    );
    assert.equal(partitions[0].worst?.name, "team=many");
    assert.deepEqual(partitions[0].differences, {});
  });

  it("speaks of accuracy alone where there are several classes, or of one of them", () => {
    const [labels, given] = [
      [0, 1, 2, 2, 1, 2],
      [0, 1, 2, 0, 2, 1],
    ];
    const by = { by: ["a"], smallest: 0 };
    const plain = metrics.subgroupReport(given, labels, { a: [1, 1, 1, 10, 10, 9] }, by);
    assert.deepEqual(Object.keys(plain.overall.rates), ["accuracy"]);
    assert.deepEqual(
      plain.partitions[0].groups.map(({ name }) => name),
      ["a=1", "a=9", "a=10"],
    );
    const { rates } = metrics.subgroupReport(given, labels, { a: [1, 1, 1, 1, 1, 1] }, { ...by, positive: 2 }).overall;
    const values = metrics.rateNames.map((name) => rates[name]?.value);
    close(values.map(Number), [3 / 6, 3 / 6, 2 / 6, 1 / 3, 1 / 3, 1 / 2], "rates of class 2");
  });
});

it("drawBinomial has the mean and the spread of its distribution", () => {
  const random = new RandomStream(5);
  for (const [trials, p] of [
    [10, 0.3],
    [1000, 0.02],
    [5000, 0.7],
  ]) {
    const drawn = Array.from({ length: 4000 }, () => drawBinomial(trials, p, random));
    const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
    const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length;
    const expected = trials * p * (1 - p);
    assert.ok(Math.abs(mean - trials * p) < 5 * Math.sqrt(expected / drawn.length), `mean ${mean}`);
    assert.ok(Math.abs(variance / expected - 1) < 0.15, `variance ${variance}, not ${expected}`);
  }
  assert.equal(drawBinomial(100, 0, random), 0);
  assert.equal(drawBinomial(100, 1, random), 100);
});

describe("wrong arguments of metrics", () => {
  const rows = [
    [0.5, 0.5],
    [0.2, 0.8],
  ];
  const cases: readonly (readonly [RegExp, () => unknown])[] = [
    [/2 predictions but 1 labels/, () => metrics.accuracy([0, 1], [0])],
    [/there are no samples/, () => metrics.accuracy([], [])],
    [/label 1 is 2\. Expected a class number from 0 to 1/, () => metrics.topKAccuracy(rows, [0, 2], 1)],
    [/label 0 is NaN/, () => metrics.confusionMatrix([0], [Number.NaN], 2)],
    [/k is 3\. Expected an integer from 1 to 2/, () => metrics.topKAccuracy(rows, [0, 1], 3)],
    [/row 1 has 1 scores, but row 0 has 2/, () => metrics.topKAccuracy([[1, 2], [1]], [0, 1], 1)],
    [/score 1 is NaN/, () => metrics.rocCurve([1, Number.NaN], [0, 1])],
    [/all 2 labels are positive/, () => metrics.rocCurve([1, 2], [1, 1])],
    [/all 2 labels are negative/, () => metrics.precisionRecallCurve([1, 2], [0, 0])],
    [/label 1 is 2\. Expected 1 for the positive/, () => metrics.rocCurve([1, 2], [0, 2])],
    [
      /the probabilities of sample 0 add up to 3\. .*softmax|is 2\. Expected 0 … 1/,
      () => metrics.calibration([[1, 2]], [0]),
    ],
    [/bins is 0/, () => metrics.calibration(rows, [0, 1], { bins: 0 })],
    [/the probability of sample 1 is 1\.5/, () => metrics.brierScore([0.5, 1.5], [0, 1])],
    [/3 names for 2 classes/, () => metrics.classificationReport(rows, [0, 1], { classNames: ["a", "b", "c"] })],
    [/all 2 labels are of one class/, () => metrics.rocAreas(rows, [1, 1])],
    [
      /no attribute "gendre"\. Did you mean gender\? Expected some of: gender/,
      () => metrics.subgroupReport([0, 1], [0, 1], { gender: ["f", "m"] }, { by: ["gendre"] }),
    ],
    [/no attribute is named/, () => metrics.subgroupReport([0], [0], { gender: ["f"] }, { by: [] })],
    [
      /gender has 1 values for 2 samples/,
      () => metrics.subgroupReport([0, 1], [0, 1], { gender: ["f"] }, { by: ["gender"] }),
    ],
    [/more than 1000 groups/, () => metrics.groupBy({ age: Array.from({ length: 1001 }, (_, i) => i) }, ["age"])],
    [/confidence is 95/, () => metrics.subgroupReport([0], [0], { a: ["f"] }, { by: ["a"], confidence: 95 })],
  ];
  for (const [message, call] of cases) it(String(message), () => assert.throws(call, message));
});

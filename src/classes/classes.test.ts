import assert from "node:assert/strict";
import { test } from "node:test";
import * as models from "../models/index.js";
import { classNames } from "./index.js";

test("every list has as many different names as there are classes, in the published order", () => {
  const { imagenet, cifar10, cifar100, tinyvgg } = classNames;
  assert.deepEqual(
    [imagenet, cifar10, cifar100, tinyvgg].map((names) => names.length),
    [1000, 10, 100, 10],
  );
  for (const names of [imagenet, cifar10, cifar100, tinyvgg]) assert.equal(new Set(names).size, names.length);
  assert.deepEqual(
    [0, 1, 207, 281, 285, 999].map((i) => imagenet[i]),
    ["tench", "goldfish", "golden retriever", "tabby", "Egyptian cat", "toilet tissue"],
  );
  assert.deepEqual([cifar100[0], cifar100[52], cifar100[99]], ["apple", "oak tree", "worm"]);
});

test("networks with named classes have as many", () => {
  const named = models.list().filter(({ classes }) => classes !== undefined);
  assert.ok(named.length > 10);
  for (const { name, classes, numClasses } of named) {
    assert.equal(classes !== undefined && classNames[classes].length, numClasses, name);
  }
});

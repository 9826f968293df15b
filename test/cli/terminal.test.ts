/** What people see: in a terminal, in a narrow one, without colours, and in a file. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { fold } from "../../src/cli/terminal.js";
import { mainPath, type Options, type Result, run, skipCommand, temporaryFolder, writeData } from "./command.js";

const control = "\u001b";
const { stdout: scriptVersion } = spawnSync("script", ["--version"], { encoding: "utf8" });
const noTerminal =
  !scriptVersion?.includes("util-linux") && "the tool `script` of util-linux, which makes terminals, is not installed";

/** Runs in a terminal of that width; standard output is what the terminal is told to show. */
function inTerminal(args: readonly string[], columns: number, { cwd, env }: Options): Promise<Result> {
  const words = [process.execPath, mainPath, ...args].map((word) => `'${word}'`).join(" ");
  const inside = `stty cols ${columns} rows 30; exec ${words}`;
  return run([], {
    shell: 'exec script -qec "$INSIDE" /dev/null',
    cwd,
    env: { INSIDE: inside, SHELL: "/bin/sh", TERM: "xterm-256color", ...env },
  });
}

/** The lines as they are left on the screen: of one that is redrawn, what was drawn last. */
function screen(output: string): string[] {
  const redraw = `${control}[1G`;
  const lines = output.split("\r\n").map((line) => line.slice(line.lastIndexOf(redraw) + 1).replace(/^\[1G/, ""));
  return lines.map((line) => line.replaceAll(new RegExp(`${control}(\\[[0-9;]*[A-Za-z]|[78])`, "g"), ""));
}

describe("output for people", { skip: skipCommand }, () => {
  let folder: string;
  let data: string;
  let runs = 0;

  before(async () => {
    folder = await temporaryFolder();
    data = await writeData(join(folder, "data"), { train: 600, test: 100 });
  });

  const train = (from = data) => ["train", "lenet5", "--data", from, "--epochs", "12", "--out", `run-${runs++}`];

  it("in a file is plain lines of at most 80 characters", async () => {
    const { status, stdout, stderr } = await run(train("data"), { cwd: folder });
    assert.equal(status, 0, stderr);
    assert.equal(stdout, "");
    for (const drawn of ["\r", control, "█", "▀"]) assert.equal(stderr.includes(drawn), false);
    const lines = stderr.split("\n");
    // Advice, such as that there is no native addon, is whole sentences, which are only folded in a terminal.
    for (const line of lines) assert.ok(line.length <= 80 || line.startsWith("fovea: "), `too long: ${line}`);
    assert.equal(lines.filter((line) => /^epoch \d+\/12 {2}train .* {2}test .* s$/.test(line)).length, 12);
    assert.match(stderr, /\d+ of the 100 test pictures are named wrongly; the surest mistakes:\nis \d/);
    assert.match(stderr, /Done in .*: \d+\.\d\d % of the test pictures right\./);
    assert.match(stderr, /^ {2}fovea evaluate run-0$/m);
    assert.match(stderr, /^ {2}fovea predict run-0 PICTURE…$/m);
  });

  it("in a terminal has a bar that goes away, and pictures in shades of grey", { skip: noTerminal }, async () => {
    const { status, stdout } = await inTerminal(train(), 80, { cwd: folder });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /epoch 1\/12 {2}█*░* +\d+ %/);
    assert.match(stdout, new RegExp(`${control}\\[38;5;\\d+m${control}\\[48;5;\\d+m▀`));
    for (const line of screen(stdout)) {
      assert.doesNotMatch(line, /[█░]/, "the bar is gone");
      assert.ok(line.length <= 80 || line.startsWith("  fovea ") || line.includes(folder), `too long: ${line}`);
    }
  });

  it("in a narrow terminal is folded between words", { skip: noTerminal }, async () => {
    const { status, stdout } = await inTerminal(train(), 40, { cwd: folder });
    assert.equal(status, 0, stdout);
    for (const line of screen(stdout)) {
      assert.ok(line.length <= 40 || /^ {2}fovea |checkpoint\.safetensors$/.test(line), `too long: ${line}`);
    }
    assert.match(stdout, /\r\n {2}test \d/);
    const wrong = await inTerminal(["train", "lenet5", "--optimizer", "best"], 40, { cwd: folder });
    assert.equal(wrong.status, 2);
    for (const line of screen(wrong.stdout)) assert.ok(line.length <= 40, `too long: ${line}`);
  });

  it("has all colours where the terminal says that it has them", { skip: noTerminal }, async () => {
    const { stdout } = await inTerminal(train(), 80, { cwd: folder, env: { COLORTERM: "truecolor" } });
    assert.match(stdout, new RegExp(`${control}\\[38;2;\\d+;\\d+;\\d+m${control}\\[48;2;`));
    assert.doesNotMatch(stdout, new RegExp(`${control}\\[38;5;`));
  });

  it("has no colours where NO_COLOR is set", { skip: noTerminal }, async () => {
    const { stdout } = await inTerminal(train(), 80, { cwd: folder, env: { NO_COLOR: "1" } });
    assert.doesNotMatch(stdout, new RegExp(`${control}\\[\\d[0-9;]*m`));
    assert.match(stdout, /[#%@]{2}/);
  });

  it("leaves standard output to JSON in a terminal, too", { skip: noTerminal }, async () => {
    const shell = 'exec script -qec "$INSIDE" /dev/null';
    const out = join(folder, `run-${runs++}`);
    const words = `'${process.execPath}' '${mainPath}' train lenet5 --data '${data}' --epochs 1 --json --out '${out}'`;
    const env = { INSIDE: `${words} > '${out}.txt'; cat '${out}.txt'`, SHELL: "/bin/sh", TERM: "xterm-256color" };
    const { stdout } = await run([], { shell, env });
    const lines = screen(stdout).filter((line) => line !== "");
    assert.equal(JSON.parse(lines.at(-1) ?? "").event, "done");
  });
});

it("folding keeps words, indents, and breaks nowhere else", () => {
  assert.equal(fold("one two three", 80), "one two three");
  assert.equal(fold("one two three four", 9), "one two\n  three\n  four");
  assert.equal(fold("averylongword that follows", 6), "averylongword\n  that\n  follows");
  assert.equal(fold("right: 98.93 % of all", 14), "right: 98.93 %\n  of all");
  assert.equal(fold("right: 98.93 % of all", 13), "right:\n  98.93 % of\n  all");
  assert.equal(fold("first line\nsecond", 7), "first\n  line\nsecond");
  assert.equal(fold("a b  c d", 4, "  "), "a b\n  c d");
});

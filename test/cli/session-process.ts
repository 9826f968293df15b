/** The process of a Session (session.ts): runs command lines as they come, and answers with what they wrote. */

import { mainPath, type Result } from "./command.js";
import type { Question } from "./session.js";

// Each run of the command listens anew.
for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0);

const output = { stdout: "", stderr: "" };
for (const name of ["stdout", "stderr"] as const) {
  process[name].write = (piece: string | Uint8Array) => {
    output[name] += typeof piece === "string" ? piece : Buffer.from(piece).toString();
    return true;
  };
}

const main = new URL("../../src/cli/main.js", import.meta.url).href;
let runs = 0;
process.on("message", async ({ args, cwd }: Question) => {
  process.chdir(cwd);
  Object.assign(output, { stdout: "", stderr: "" });
  process.argv = [process.execPath, mainPath, ...args];
  process.exitCode = undefined;
  // A module of another address is run again; those that it imports are there.
  await import(`${main}?run=${runs++}`);
  const result: Result = { status: Number(process.exitCode ?? 0), signal: null, ...output };
  process.exitCode = undefined;
  process.send?.(result);
});

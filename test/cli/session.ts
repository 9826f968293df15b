/** Running many short commands, of which each takes longer to load than to answer, in one process. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { type Options, type Result, surroundings } from "./command.js";

const path = fileURLToPath(new URL("./session-process.js", import.meta.url));

/** What the process is asked: a command line and the folder that it is given in. */
export interface Question {
  readonly args: readonly string[];
  readonly cwd: string;
}

/**
 * A process that runs commands one after the other. What a command leaves behind when it ends (a library that is loaded,
 * threads) is there for the next; what depends on that, on signals or on where output goes is for `run` of command.ts.
 */
class Session {
  #child: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** @throws when the command ends the process */
  run(args: readonly string[], { cwd = tmpdir() }: Pick<Options, "cwd"> = {}): Promise<Result> {
    const result = this.#last.then(() => this.#ask({ args, cwd }));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** What the process says outside of commands, such as why it ends, is passed on; to commands nothing is a terminal. */
  #begin(): ChildProcess {
    const child = spawn(process.execPath, [path], { env: surroundings(), stdio: ["ignore", "ignore", "pipe", "ipc"] });
    child.stderr?.pipe(process.stderr);
    return child;
  }

  async #ask(question: Question): Promise<Result> {
    this.#child ??= this.#begin();
    const child = this.#child;
    if (!child.connected) throw new Error("the process of the session has ended");
    const done = new AbortController();
    const { signal } = done;
    try {
      const ended = once(child, "exit", { signal }).then(([status]) => {
        throw new Error(`fovea ${question.args.join(" ")} ended the session with status ${status}`);
      });
      const answered = once(child, "message", { signal });
      child.send(question);
      const [result] = await Promise.race([answered, ended]);
      return result;
    } finally {
      done.abort();
    }
  }

  close(): void {
    this.#child?.kill();
  }
}

/** Runs the commands of a file's tests in a session of their own, which ends with them. */
export function inOneProcess(): Session["run"] {
  const session = new Session();
  after(() => session.close());
  return (args, options) => session.run(args, options);
}

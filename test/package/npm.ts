/** Packing this package and installing it elsewhere, as its users do. */

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = fileURLToPath(new URL("../../..", import.meta.url));

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The variables of this process without those that would tell a child of the project and the tests around it. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: "1", NODE_OPTIONS: "" };
  // The npm that runs these tests passes its project on; of its settings only the way to the registry is wanted.
  for (const name of Object.keys(environment)) {
    if (/^npm_(?!config_(.*registry|.*proxy|cafile|cache|userconfig)$)/i.test(name)) delete environment[name];
    if (name.startsWith("FOVEA_")) delete environment[name];
  }
  // A child of the test runner would report to it instead of printing.
  delete environment.NODE_TEST_CONTEXT;
  delete environment.FORCE_COLOR;
  return environment;
}

/** The same for a machine that has Node and npm but no compiler: `folder` gets links to all that it may run. */
export function withoutCompiler(folder: string): NodeJS.ProcessEnv {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const places = [dirname(process.execPath), ...(process.env.PATH ?? "").split(delimiter)];
  for (const name of ["node", "npm", "npx", "sh"]) {
    const found = places.map((place) => join(place, name)).find((path) => existsSync(path));
    if (found !== undefined) symlinkSync(realpathSync(found), join(bin, name));
  }
  const environment: NodeJS.ProcessEnv = { ...plainEnvironment(), PATH: bin };
  for (const name of ["CC", "CXX", "npm_config_nodedir"]) delete environment[name];
  return environment;
}

/** Runs a command to its end. */
export function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = plainEnvironment(),
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const shell = process.platform === "win32" && command === "npm";
    const child = spawn(command, args, { cwd, env, shell, stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr]: [string[], string[]] = [[], []];
    child.stdout.setEncoding("utf8").on("data", (text) => stdout.push(text));
    child.stderr.setEncoding("utf8").on("data", (text) => stderr.push(text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout: stdout.join(""), stderr: stderr.join("") }));
  });
}

/** The same; throws what the command said unless it succeeds. */
export async function succeed(
  command: string,
  args: readonly string[],
  cwd: string,
  env?: NodeJS.ProcessEnv,
): Promise<Outcome> {
  const outcome = await run(command, args, cwd, env);
  if (outcome.code === 0) return outcome;
  throw new Error(`${command} ${args.join(" ")} ended with code ${outcome.code}\n${outcome.stdout}${outcome.stderr}`);
}

/** An empty folder outside the repository, whose `node_modules` it cannot see. */
export function emptyFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), "fovea-package-")));
}

export function removeFolder(path: string | undefined): void {
  if (path !== undefined) rmSync(path, { recursive: true, force: true });
}

interface Packed {
  /** The tarball's path. */
  readonly tarball: string;
  /** Paths inside it. */
  readonly files: readonly string[];
}

/** Packs what is built. */
export async function pack(folder: string): Promise<Packed> {
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const { stdout } = await succeed("npm", args, root);
  const [packed]: { filename: string; files: { path: string }[] }[] = JSON.parse(stdout);
  return { tarball: join(folder, packed.filename), files: packed.files.map(({ path }) => path).sort() };
}

/** Files by their path in the project. */
export type Project = Readonly<Record<string, string>>;

/** Makes a project and installs packages into it. Returns why it could not be done when the registry cannot be reached. */
export async function install(
  folder: string,
  packages: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  const description = { name: "app", private: true, type: "module" };
  writeFileSync(join(folder, "package.json"), JSON.stringify(description));
  const options = "--no-audit --no-fund --prefer-offline --fetch-retries=2".split(" ");
  const patience = ["--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000"];
  const { code, stdout, stderr } = await run("npm", ["install", ...options, ...patience, ...packages], folder, env);
  if (code === 0) return undefined;
  const unreachable = /\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EAI_AGAIN|ENOTCACHED)\b/.exec(stderr);
  if (unreachable !== null) return `the package registry cannot be reached (${unreachable[0]})`;
  throw new Error(`npm install ended with code ${code}\n${stdout}${stderr}`);
}

export function writeProject(folder: string, files: Project): void {
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
}

/** Who takes part in the comparison of a work, and which of them are compared. */

import { hasBrowser, startPage } from "./browser.js";
import { newerNode } from "./packages.js";
import type { Clock } from "./session.js";
import { type Side, startFovea, startOnnxRuntime, startPeer, startPyTorch } from "./side.js";
import { type Peer, type Work, wasmAgainstNativeGoal } from "./works.js";

export interface Participant {
  /** Unique in a work. */
  readonly key: string;
  start(threads: number): Promise<Side>;
}

/** Ours and a peer, and by how much it is to be slower. */
export interface Pair {
  readonly device: "native" | "wasm";
  readonly fovea: string;
  readonly peer: string;
  readonly peerName: Peer;
  /** None: only reported. */
  readonly goal?: number;
  /** Whether the peer's times on a quiet machine are those of reference.json. */
  readonly reference: boolean;
  /** Of threads; none: any. */
  readonly threads?: number;
}

export interface Line {
  readonly participants: readonly Participant[];
  readonly pairs: readonly Pair[];
}

/** What runs a work in WebAssembly: the Node that goals are for, a browser, and this Node where it is an older one. */
interface Runtime {
  readonly name: string;
  readonly counts: boolean;
  fovea(threads: number): Promise<Side>;
  onnxRuntime(threads: number): Promise<Side>;
}

function nodeRuntime(path: string, name: string, counts: boolean): Runtime {
  return {
    ...{ name, counts },
    fovea: (threads) => startFovea("wasm", path, threads),
    onnxRuntime: (threads) => startOnnxRuntime("onnxruntime-web", path, threads),
  };
}

function runtimes(clock: Clock): Runtime[] {
  const list: Runtime[] = [];
  const newer = newerNode();
  if (newer !== undefined) list.push(nodeRuntime(newer, "newer Node", true));
  if (newer !== process.execPath) list.push(nodeRuntime(process.execPath, "this Node", false));
  // Pages do not know how long their threads were on a processor.
  if (hasBrowser && clock === "wall") {
    list.push({
      ...{ name: "Chromium", counts: true },
      fovea: () => startPage("fovea"),
      onnxRuntime: () => startPage("onnxruntime"),
    });
  }
  return list;
}

/** The participants of a work, of which only those `peers` take part that are named. */
export function lineOf(
  work: Work,
  peers: readonly Peer[],
  devices: readonly ("native" | "wasm")[],
  clock: Clock,
): Line {
  const participants: Participant[] = [];
  const pairs: Pair[] = [];
  const add = (key: string, start: (threads: number) => Promise<Side>) => {
    if (!participants.some((each) => each.key === key)) participants.push({ key, start });
    return key;
  };
  const native = () => add("fovea native", (threads) => startFovea("native", process.execPath, threads));
  const pytorch = () => add("pytorch", startPyTorch);
  const inference = work.kind === "inference";
  const onnxRuntime = () =>
    add("onnxruntime-node", (threads) => startOnnxRuntime("onnxruntime-node", process.execPath, threads));
  if (devices.includes("native")) {
    if (inference && peers.includes("onnxruntime-node")) {
      const [fovea, peer] = [native(), onnxRuntime()];
      const goal = work.goal.native;
      pairs.push({ device: "native", fovea, peer, peerName: "onnxruntime-node", goal, reference: true });
    }
    if (peers.includes("pytorch")) {
      const goal = inference ? {} : { goal: work.goal.native };
      const [fovea, peer] = [native(), pytorch()];
      pairs.push({ device: "native", fovea, peer, peerName: "pytorch", ...goal, reference: true });
    }
  }
  if (!devices.includes("wasm")) return { participants, pairs };
  for (const runtime of runtimes(clock)) {
    const { name, counts } = runtime;
    const wasm = () => add(`fovea wasm, ${name}`, runtime.fovea);
    const goal = counts ? { goal: work.goal.wasm } : {};
    if (inference && peers.includes("onnxruntime-web")) {
      const [fovea, peer] = [wasm(), add(`onnxruntime-web, ${name}`, runtime.onnxRuntime)];
      pairs.push({
        device: "wasm",
        fovea,
        peer,
        peerName: "onnxruntime-web",
        ...goal,
        reference: name === "newer Node",
      });
      if (work.key === "vgg16" && name === "newer Node" && peers.includes("onnxruntime-node")) {
        const native = { peer: onnxRuntime(), peerName: "onnxruntime-node", goal: wasmAgainstNativeGoal } as const;
        pairs.push({ device: "wasm", fovea, ...native, reference: true, threads: 1 });
      }
    }
    if (!inference && peers.includes("pytorch")) {
      pairs.push({ device: "wasm", fovea: wasm(), peer: pytorch(), peerName: "pytorch", ...goal, reference: true });
    }
  }
  // Other frameworks in JavaScript have no threads in Node, and take minutes for larger networks.
  if (work.network === "lenet5") {
    const node = newerNode() ?? process.execPath;
    const reported = { device: "wasm", reference: false, threads: 1 } as const;
    const fovea = () => add("fovea wasm, newer Node", (threads) => startFovea("wasm", node, threads));
    if (peers.includes("tfjs")) {
      const backend = inference ? "wasm" : "cpu";
      const peer = add(`tfjs, ${backend}`, () => startPeer("tfjs", process.execPath, [backend]));
      pairs.push({ ...reported, fovea: fovea(), peer, peerName: "tfjs" });
    }
    if (peers.includes("jax-js")) {
      const peer = add("jax-js", () => startPeer("jax-js", node, []));
      pairs.push({ ...reported, fovea: fovea(), peer, peerName: "jax-js" });
    }
  }
  return { participants, pairs };
}

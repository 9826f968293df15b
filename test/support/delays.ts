/** A device that takes its time. */

import type { Device, Handle, Program } from "../../src/backends/backend.js";
import { factsOf } from "./facts.js";

/**
 * Passes every call on to `device` in order, each after a random pause, and delays every answer. Handles are its own, for
 * a call that has not been passed on yet has none.
 */
export function withDelays(device: Device, longestMilliseconds = 2): Device {
  let handles = 0;
  const real = new Map<Handle, Handle>();
  let queue: Promise<unknown> = Promise.resolve();
  const pause = () => new Promise<void>((resume) => setTimeout(resume, Math.random() * longestMilliseconds));
  const enqueue = <T>(call: () => T | Promise<T>): Promise<T> => {
    // The next call may go on its way as soon as this one has been made, whatever it answers.
    let answer: Promise<T> | undefined;
    const made = queue.then(pause).then(() => {
      answer = Promise.resolve(call());
      answer.catch(() => undefined);
    });
    queue = made.catch(() => undefined);
    return made
      .then(() => answer as Promise<T>)
      .then(async (value) => {
        await pause();
        return value;
      });
  };
  const make = (call: () => Handle): Handle => {
    const handle = ++handles;
    void enqueue(() => {
      real.set(handle, call());
    });
    return handle;
  };
  const resolve = (handle: Handle): Handle => {
    const found = real.get(handle);
    if (found === undefined) throw new Error(`handle ${handle} was used before it was made, or after it was freed`);
    return found;
  };

  return {
    ...factsOf(device),
    ready: device.ready.then(pause),
    allocate: (bytes) => make(() => device.allocate(bytes)),
    upload(data) {
      const copy = new Uint8Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
      return make(() => device.upload(copy));
    },
    write: (handle, offset, data) => enqueue(() => device.write(resolve(handle), offset, data)),
    read: (handle, bytes) => enqueue(() => device.read(resolve(handle), bytes)),
    free(handle) {
      void enqueue(() => {
        device.free(resolve(handle));
        real.delete(handle);
      });
    },
    load: (program: Program) => make(() => device.load(program)),
    submit(program, bindings, scalars) {
      const [handles, copy] = [[...bindings], scalars.slice()];
      return enqueue(() => device.submit(resolve(program), handles.map(resolve), copy));
    },
    abort: () => void enqueue(() => device.abort()),
    memory: () => enqueue(() => device.memory()),
    close: () => enqueue(() => device.close()),
  };
}

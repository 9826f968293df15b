/** Small programs made by hand, for tests of devices below the compiler. */

import type {
  Buffer,
  Device,
  ElementwiseInstruction,
  Handle,
  Operand,
  Program,
  Step,
} from "../../src/backends/backend.js";
import { type DType, sizeBytes } from "../../src/core/dtype.js";
import { type Shape, sizeOf } from "../../src/core/shape.js";

/** Collects the steps of one program; bindings get slots in the order in which they are declared. */
export class ProgramBuilder {
  readonly #steps: Step[] = [];
  #slots = 2;
  #arenaBytes = 0;
  #scalarBytes = 0;
  #commitStart: number | undefined;
  #buffers = 0;

  constructor(private readonly device: Device) {}

  binding(shape: Shape, dtype: DType = "float32"): Operand {
    return this.#operand(shape, dtype, this.#slots++, 0);
  }

  arena(shape: Shape, dtype: DType = "float32"): Operand {
    const operand = this.#operand(shape, dtype, 0, this.#arenaBytes);
    this.#arenaBytes += aligned(operand.buffer.bytes);
    return operand;
  }

  /** A number that is sent along with each submission. */
  scalar(dtype: DType = "float32"): Operand {
    const operand = this.#operand([], dtype, 1, this.#scalarBytes);
    this.#scalarBytes += 64;
    return operand;
  }

  /** `output = op(...inputs)`, element by element. */
  elementwise(op: string, inputs: readonly Operand[], output: Operand): this {
    const instruction: ElementwiseInstruction = {
      op,
      operands: inputs.map((_, i) => i),
      operandTypes: inputs.map(({ dtype }) => dtype),
      dtype: output.dtype,
    };
    this.device.compiler.lower(
      {
        kind: "elementwise",
        shape: output.shape,
        inputs,
        instructions: [instruction],
        outputs: [{ operand: output, value: inputs.length }],
      },
      this.#emitter,
    );
    return this;
  }

  op(
    op: string,
    inputs: Readonly<Record<string, Operand>>,
    params: Readonly<Record<string, unknown>>,
    output: Operand,
  ): this {
    this.device.compiler.lower({ kind: "op", op, inputs, params, output }, this.#emitter);
    return this;
  }

  /** What follows writes state. */
  commit(): this {
    this.#commitStart = this.#steps.length;
    return this;
  }

  build(arenaBytes = this.#arenaBytes): Program {
    return {
      steps: this.#steps,
      commitStart: this.#commitStart ?? this.#steps.length,
      arenaBytes,
      scalarBytes: this.#scalarBytes,
      slots: this.#slots,
    };
  }

  get #emitter() {
    return {
      step: (step: Step) => {
        this.#steps.push(step);
      },
      temporary: (bytes: number): Buffer => {
        const offset = this.#arenaBytes;
        this.#arenaBytes += aligned(bytes);
        return { id: this.#buffers++, bytes, slot: 0, offset };
      },
      isKept: () => false,
      isKeptState: () => false,
    };
  }

  #operand(shape: Shape, dtype: DType, slot: number, offset: number): Operand {
    const buffer = { id: this.#buffers++, bytes: sizeBytes(dtype, sizeOf(shape)), slot, offset };
    return { buffer, shape, dtype };
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

export const noScalars = new Uint8Array(0);

/** A program of one binding to another: `output = op(input)`. */
export function unaryProgram(device: Device, op: string, count: number): Program {
  const builder = new ProgramBuilder(device);
  return builder.elementwise(op, [builder.binding([count])], builder.binding([count])).build();
}

/** A chain of `steps` passes over `count` elements from one binding to another. */
export function longProgram(device: Device, count: number, steps: number): Program {
  const builder = new ProgramBuilder(device);
  const [input, output] = [builder.binding([count]), builder.binding([count])];
  let [from, to] = [builder.arena([count]), builder.arena([count])];
  builder.elementwise("exp", [input], from);
  for (let i = 0; i < steps; i++) {
    builder.elementwise(["sin", "tanh", "exp", "sigmoid"][i % 4], [from], to);
    [from, to] = [to, from];
  }
  return builder.elementwise("negate", [from], output).build();
}

/** `state = state + 1` as a commit, after `steps` passes of work over `count` elements. */
export function countingProgram(device: Device, count: number, steps: number): Program {
  const builder = new ProgramBuilder(device);
  const [state, one] = [builder.binding([count]), builder.scalar()];
  const [a, b, next] = [builder.arena([count]), builder.arena([count]), builder.arena([count])];
  builder.elementwise("exp", [state], a);
  for (let i = 0; i < steps; i++) builder.elementwise("tanh", i % 2 === 0 ? [a] : [b], i % 2 === 0 ? b : a);
  builder.elementwise("add", [state, one], next).commit();
  return builder.elementwise("add", [next, one], state).elementwise("subtract", [state, one], state).build();
}

/** The scalar 1 of a `countingProgram`. */
export function scalarOne(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(64);
  new Float32Array(bytes.buffer)[0] = 1;
  return bytes;
}

export async function readFloats(device: Device, handle: Handle, count: number): Promise<Float32Array<ArrayBuffer>> {
  return new Float32Array(await device.read(handle, 4 * count));
}

/** `count` numbers from -2 to 2, all different. */
export function ramp(count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, i) => (4 * i) / Math.max(1, count - 1) - 2);
}

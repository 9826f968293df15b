/** Writes programs as the bytes that the kernels walk (kernels/program.c), from the same schema as the C structures. */

import { FoveaError } from "../../core/errors.js";
import type { Buffer, Program, Step } from "../backend.js";
import { type Field, type Fields, localSlot, type ValuesOf, wordsOf } from "./fields.js";
import { records } from "./records.js";
import { type StepFields, type StepName, schemaHash, stepNames, steps } from "./schema.js";

/** `FOVP`, little-endian. */
export const programMagic = 0x50564f46;

type Values = Readonly<Record<string, unknown>>;

/** A structure's fields in order, with the words where they begin. */
interface Structure {
  readonly fields: readonly { readonly name: string; readonly field: Field; readonly at: number }[];
  readonly words: number;
}

const structures = new Map<Fields, Structure>();

function structureOf(declaration: Fields): Structure {
  const known = structures.get(declaration);
  if (known !== undefined) return known;
  let words = 0;
  const fields = Object.entries(declaration).map(([name, field]) => {
    const at = words;
    words += wordsOf(field);
    return { name, field, at };
  });
  const structure = { fields, words };
  structures.set(declaration, structure);
  return structure;
}

const recordsByName = new Map<string, Fields>(Object.entries(records));

const numberOfStep = new Map<string, number>(stepNames.map((name, index) => [name, index]));

/** A step whose reads and writes are taken from its fields. */
export function makeStep<N extends StepName>(name: N, fields: StepFields<N>): Step {
  const reads: Buffer[] = [];
  const writes: Buffer[] = [];
  const scratch: Buffer[] = [];
  const visit = (declaration: Fields, values: Values) => {
    for (const { name: key, field } of structureOf(declaration).fields) {
      const value = values[key];
      if (value === undefined) continue;
      if (field.kind === "input" || field.kind === "optionalInput" || field.kind === "inout")
        reads.push(value as Buffer);
      if (field.kind === "output" || field.kind === "inout") writes.push(value as Buffer);
      if (field.kind === "scratch") scratch.push(value as Buffer);
      if (field.kind === "epilogue") visit(steps.elementwise, value as Values);
      if (field.kind === "steps") {
        for (const step of value as readonly Step[]) {
          reads.push(...step.reads.filter((buffer) => buffer.slot !== localSlot && !writes.includes(buffer)));
          writes.push(...step.writes.filter((buffer) => buffer.slot !== localSlot));
          scratch.push(...step.scratch);
        }
      }
      if (field.kind === "list") {
        for (const record of value as readonly Values[]) visit(recordFields(field.record), record);
      }
    }
  };
  visit(steps[name], fields);
  // An epilogue reads what its own step has just written: nothing that was there before.
  const produced = new Set<unknown>();
  for (const { name: key, field } of structureOf(steps[name]).fields) {
    if (field.kind === "output") produced.add((fields as Values)[key]);
  }
  const isOwn = (buffer: Buffer) => buffer.slot === localSlot;
  return {
    name,
    reads: reads.filter((buffer) => !produced.has(buffer) && !isOwn(buffer)),
    writes: writes.filter((buffer) => !isOwn(buffer)),
    scratch,
    fields,
  };
}

export function isNamed<N extends StepName>(step: Step, name: N): step is Step & { readonly fields: StepFields<N> } {
  return step.name === name;
}

/** Encodes a program whose buffers have been placed. */
export function encodeProgram(program: Program): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  const headerAt = writer.reserve(structureOf(records.programHeader).words);
  const tableAt = writer.appendSteps(program.steps);
  const header: Values = {
    magic: programMagic,
    schemaHash,
    bytes: writer.bytes,
    slots: program.slots,
    commitStart: program.commitStart,
  };
  writer.write(headerAt, records.programHeader, { ...header, steps: [] });
  writer.setList(headerAt + structureOf(records.programHeader).words - 2, tableAt, program.steps.length);
  return writer.finish();
}

function recordFields(name: string): Fields {
  const fields = recordsByName.get(name);
  if (fields === undefined) throw new FoveaError("FOVEA_INTERNAL", `there is no record named ${name}`);
  return fields;
}

/** A growing row of 32-bit words. Positions are word indices; what C sees are byte offsets. */
class Writer {
  #ints = new Int32Array(1024);
  #floats = new Float32Array(this.#ints.buffer);
  #length = 0;

  get bytes(): number {
    return this.#length * 4;
  }

  reserve(words: number): number {
    const at = this.#length;
    this.#length += words;
    if (this.#length > this.#ints.length) {
      const grown = new Int32Array(Math.max(this.#length, this.#ints.length * 2));
      grown.set(this.#ints);
      this.#ints = grown;
      this.#floats = new Float32Array(grown.buffer);
    }
    return at;
  }

  /** Appends a structure; returns its byte offset. */
  append(fields: Fields, values: Values): number {
    const at = this.reserve(structureOf(fields).words);
    this.write(at, fields, values);
    return at * 4;
  }

  write(at: number, fields: Fields, values: Values): void {
    for (const each of structureOf(fields).fields) this.#writeField(at + each.at, each.field, values[each.name]);
  }

  /** Appends a table of steps and what it refers to; returns the word where it starts. */
  appendSteps(list: readonly Step[]): number {
    const { words } = structureOf(records.stepEntry);
    const tableAt = this.reserve(list.length * words);
    for (const [index, step] of list.entries()) {
      const kernel = numberOfStep.get(step.name);
      if (kernel === undefined) throw new FoveaError("FOVEA_INTERNAL", `there is no step named ${step.name}`);
      const offset = this.append(steps[stepNames[kernel]], step.fields as Values);
      const entry: ValuesOf<typeof records.stepEntry> = { kernel, offset };
      this.write(tableAt + index * words, records.stepEntry, entry);
    }
    return tableAt;
  }

  setList(at: number, firstWord: number, count: number): void {
    this.#ints[at] = firstWord * 4;
    this.#ints[at + 1] = count;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#ints.buffer.slice(0, this.bytes));
  }

  #writeField(at: number, field: Field, value: unknown): void {
    switch (field.kind) {
      case "f32":
        this.#floats[at] = value as number;
        return;
      case "i32":
      case "u32":
        this.#ints[at] = value as number;
        return;
      case "row": {
        const list = value as readonly number[];
        if (list.length > field.length) {
          throw new FoveaError("FOVEA_INTERNAL", `a row of ${list.length} does not fit into ${field.length} words`);
        }
        this.#ints.fill(0, at, at + field.length);
        this.#ints.set(list, at);
        return;
      }
      case "epilogue": {
        // Appending may move the words: only then is it known where to write.
        const offset = value === undefined ? 0 : this.append(steps.elementwise, value as Values);
        this.#ints[at] = offset;
        return;
      }
      case "steps": {
        const list = value as readonly Step[];
        const table = this.appendSteps(list);
        this.setList(at, table, list.length);
        return;
      }
      case "list": {
        const items = value as readonly Values[];
        const fields = recordFields(field.record);
        const { words } = structureOf(fields);
        const first = this.reserve(items.length * words);
        for (const [index, item] of items.entries()) this.write(first + index * words, fields, item);
        this.setList(at, first, items.length);
        return;
      }
      default: {
        const buffer = value as Buffer | undefined;
        this.#ints[at] = buffer === undefined ? -1 : buffer.slot;
        this.#ints[at + 1] = buffer === undefined ? 0 : buffer.offset / 64;
      }
    }
  }
}

/** Writes the C side of the schema: kernels/generated/schema.h. */

import { dtypeCodes, type Field, type Fields, localSlot, maxRank } from "./fields.js";
import { instructions, operandModes, records } from "./records.js";
import { schemaHash, stepNames, steps } from "./schema.js";

const pascal = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);
const constant = (name: string) => name.replace(/([A-Z])/g, "_$1").toUpperCase();
const snake = (name: string) => name.replace(/([A-Z])/g, "_$1").toLowerCase();

function declaration(name: string, field: Field): string {
  switch (field.kind) {
    case "i32":
      return `int32_t ${snake(name)};`;
    case "u32":
    case "epilogue":
      return `uint32_t ${snake(name)};`;
    case "f32":
      return `float ${snake(name)};`;
    case "row":
      return `int32_t ${snake(name)}[${field.length}];`;
    case "list":
      return `ListRef ${snake(name)}; /* of ${pascal(field.record)} */`;
    case "steps":
      return `ListRef ${snake(name)}; /* of StepEntry */`;
    default:
      return `BufferRef ${snake(name)};`;
  }
}

function structure(name: string, fields: Fields): string {
  const lines = Object.entries(fields).map(([field, kind]) => `  ${declaration(field, kind)}`);
  return `typedef struct {\n${lines.join("\n")}\n} ${name};\n`;
}

function enumeration(prefix: string, names: readonly string[]): string {
  return `enum {\n${names.map((name, i) => `  ${prefix}${constant(name)} = ${i},`).join("\n")}\n};\n`;
}

/** The text of schema.h: structures named `ConvolutionStep`, constants `STEP_…`, `OP_…`, `MODE_…`, `FOVEA_FLOAT32` …. */
export function schemaHeader(): string {
  return [
    "/* Generated from src/backends/cpu/schema.ts by `npm run build`. */",
    "#ifndef FOVEA_SCHEMA_H\n#define FOVEA_SCHEMA_H\n\n#include <stdint.h>\n",
    `#define FOVEA_SCHEMA_HASH 0x${schemaHash.toString(16)}u`,
    `#define MAX_RANK ${maxRank}`,
    `#define LOCAL_SLOT 0x${localSlot.toString(16)}u\n`,
    "typedef struct {\n  uint32_t slot, offset;\n} BufferRef;\n",
    "typedef struct {\n  uint32_t offset, count;\n} ListRef;\n",
    enumeration("FOVEA_", Object.keys(dtypeCodes)),
    enumeration("MODE_", Object.keys(operandModes)),
    enumeration("OP_", Object.keys(instructions)),
    enumeration("STEP_", stepNames),
    `#define STEP_COUNT ${stepNames.length}\n`,
    ...Object.entries(records).map(([name, fields]) => structure(pascal(name), fields)),
    ...stepNames.map((name) => structure(`${pascal(name)}Step`, steps[name])),
    "/* One kernel for each step, in the order of its number: the table in program.c is made of these. */",
    `#define FOR_EACH_STEP(X) \\\n${stepNames.map((name) => `  X(${snake(name)}, ${pascal(name)}Step)`).join(" \\\n")}\n`,
    "#endif\n",
  ].join("\n");
}

/** The convolutions that networks' programs consist of, as the compiler hands them to the kernels. */

import { models } from "fovea";
import { recordTraining } from "../../src/analysis/memory.js";
import { parseInputs, record, withMode } from "../../src/analysis/record.js";
import type { Device, OpWork } from "../../src/backends/backend.js";
import type { CaseName } from "../../src/backends/cpu/algorithms.js";
import { CpuCompiler } from "../../src/backends/cpu/compiler.js";
import { algorithmsOf, type ConvolutionCase, nameOf } from "../../src/backends/cpu/kernels/convolutionCase.js";
import { sizesOf } from "../../src/backends/cpu/kernels/convolutionProblem.js";
import { machineOf, type Variant } from "../../src/backends/cpu/machines.js";
import { planProgram } from "../../src/graph/program.js";
import type { Conv2dParams } from "../../src/ops/convolution/geometry.js";

export interface FoundCase {
  readonly name: CaseName;
  readonly given: ConvolutionCase;
  readonly work: OpWork;
  /** In a step of training weights are packed every time. */
  readonly training: boolean;
  /** The first network that has it. */
  readonly network: string;
}

/** Pictures at once in a step of training. */
const batchOf = ([, height]: readonly number[]) => (height >= 64 ? 8 : 64);

/** Larger pictures are for segmentation, whose networks are many times as much work. */
const largest = 299;

export function measuredNetworks(): string[] {
  return models.list().flatMap(({ name, inputShape }) => (inputShape[1] <= largest ? [name] : []));
}

/** The convolutions of these networks that can be computed in several ways, each once. */
export function casesOf(networks: readonly string[], variant: Variant, device: Device): FoundCase[] {
  const found = new Map<string, FoundCase>();
  const machine = machineOf(variant, 1);
  const entries = networks.map((network) => models.find(network));
  const made = entries.map(({ create }) => create());
  // Inference first: an interrupted run has measured what most programs are.
  for (const training of [false, true]) {
    for (const [i, { name: network, inputShape }] of entries.entries()) {
      const collector = new Collector(machine, (work) => {
        const given = caseOf(work);
        if (given === undefined || algorithmsOf(given, machine).length < 2) return;
        const name = nameOf(given);
        const key = `${name.group} ${name.shape}`;
        if (!found.has(key)) found.set(key, { name, given, work, training, network });
      });
      const inputs = parseInputs([training ? batchOf(inputShape) : 1, ...inputShape]);
      const { program } = training
        ? recordTraining(made[i], inputs).recording
        : withMode(made[i], false, () => record(made[i], inputs));
      planProgram(program, Object.create(device, { compiler: { value: collector } }));
    }
  }
  return [...found.values()];
}

/** Shows the works that it is to lower. */
class Collector extends CpuCompiler {
  constructor(
    machine: ConstructorParameters<typeof CpuCompiler>[0],
    private readonly show: (work: OpWork) => void,
  ) {
    super(machine);
  }

  override lower(...[work, emit]: Parameters<CpuCompiler["lower"]>): void {
    if (work.kind === "op") this.show(work);
    super.lower(work, emit);
  }
}

function caseOf(work: OpWork): ConvolutionCase | undefined {
  const { op, inputs, output } = work;
  const params = work.params as Conv2dParams;
  const last = [...Object.values(inputs), output].some(({ layout }) => layout === "channelsLast");
  const given = { params, last };
  switch (op) {
    case "conv2d":
      return { op, sizes: sizesOf(inputs.input.shape, inputs.weight.shape, output.shape), ...given };
    case "conv2dInputGradient":
      return { op, sizes: sizesOf(output.shape, inputs.weight.shape, inputs.upstream.shape), ...given };
    case "conv2dWeightGradient":
      return { op, sizes: sizesOf(inputs.input.shape, output.shape, inputs.upstream.shape), ...given };
    default:
      return undefined;
  }
}

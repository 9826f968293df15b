/** A model with several tasks as a module of its own, for exports. */

import type { Tensor } from "../../graph/tensor.js";
import type { Layer } from "../../nn/layers/container.js";
import type { NamedLayer } from "../../nn/layers/multiHead.js";
import { ModuleBase } from "../../nn/module.js";
import { add, mul } from "../../ops/elementwise/arithmetic.js";
import { asTensor, type TensorLike } from "../../ops/tensors.js";
import { mapTasks, outputsByTask } from "./targets.js";
import type { Tasks } from "./task.js";

export interface TaskOutputs {
  (x: TensorLike): Readonly<Record<string, Tensor>>;
}

/**
 * What a model answers, by task: scores of classes before softmax, N×K, and numbers in their unit, N.
 *
 * @example const bytes = await onnx.export(new tasks.TaskOutputs(model, asked), { inputs: [1, 3, 32, 32] });
 */
export class TaskOutputs extends ModuleBase {
  /** @param model one that gives several outputs by name, or one row with columns for each task */
  constructor(
    readonly model: Layer | NamedLayer,
    readonly tasks: Tasks,
  ) {
    super();
  }

  override forward(x: TensorLike): Readonly<Record<string, Tensor>> {
    const outputs = outputsByTask(this.tasks, this.model(asTensor("TaskOutputs", x)));
    return mapTasks(this.tasks, (task, name) =>
      task.kind === "classification" ? outputs[name] : (add(mul(outputs[name], task.std), task.mean) as Tensor),
    );
  }
}

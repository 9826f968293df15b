/** Whether what a trainer is told of tasks fits together. */

import { ArgumentError } from "../../core/errors.js";
import type { TrainerOptions } from "../options.js";
import type { Tasks } from "./task.js";

/** @throws ArgumentError for options of one label beside tasks, and for learnt weights of others or that would never change */
export function checkTaskOptions({
  tasks,
  taskWeights,
  groups,
  loss,
  labelSmoothing,
  optimizer,
}: TrainerOptions): void {
  if (tasks === undefined) {
    if (taskWeights === undefined) return;
    throw new ArgumentError("Trainer: taskWeights is given without tasks. Fix: give tasks, too.");
  }
  checkTasks(tasks);
  const [other] =
    Object.entries({ groups, loss, labelSmoothing: labelSmoothing || undefined }).find(
      ([, value]) => value !== undefined,
    ) ?? [];
  if (other !== undefined)
    throw new ArgumentError(
      `Trainer: tasks and ${other} are both given. Expected one of them. Fix: the loss option of a task.`,
    );
  if (taskWeights === undefined) return;
  const missing = Object.keys(tasks).filter((name) => taskWeights.kinds[name] !== tasks[name].kind);
  if (missing.length > 0 || Object.keys(taskWeights.kinds).length > Object.keys(tasks).length)
    throw new ArgumentError(
      `Trainer: taskWeights is of the tasks ${Object.keys(taskWeights.kinds).join(", ")}, but those to learn are ${Object.keys(tasks).join(", ")}. Expected the same, of the same kinds.`,
    );
  const trained = new Set(optimizer.parameters);
  if (taskWeights.parameters().every((parameter) => trained.has(parameter))) return;
  throw new ArgumentError(
    "Trainer: the optimizer does not have the parameters of taskWeights, which would never change. Fix: new Adam([...model.parameters(), ...taskWeights.parameters()], …).",
  );
}

/** @throws ArgumentError where there is none, or a name will not do */
function checkTasks(tasks: Tasks): void {
  const names = Object.keys(tasks);
  if (names.length === 0)
    throw new ArgumentError("tasks: there are none. Expected at least one: { smile: tasks.classification(2) }.");
  if (names.includes("")) throw new ArgumentError("tasks: a task has no name. Expected one, such as smile.");
}

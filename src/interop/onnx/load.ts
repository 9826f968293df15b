/** Reading ONNX files. */

import { platform } from "#platform";
import { FormatError } from "../../core/errors.js";
import { readMessage } from "../../formats/protobuf.js";
import { externalReader } from "./externalData.js";
import { opsetsOf, Planner } from "./graph.js";
import { OnnxModel } from "./model.js";
import { ModelProto, type TensorProto } from "./proto.js";
import { readTensor } from "./tensorProto.js";

type Bytes = Uint8Array<ArrayBuffer>;

export interface OnnxLoadOptions {
  /** What errors call a model that is given as bytes. Default "the ONNX model". */
  readonly name?: string;
  /** For a model given as bytes: the files, by name, in which it keeps large tensors. */
  readonly externalData?: Readonly<Record<string, Bytes>>;
}

/**
 * Reads an ONNX model: opsets 1 to 28, with the ops that docs/onnx.md lists. Weights of any floating-point type become
 * float32; a model's data in other files is read from its own folder.
 *
 * @param source the file's bytes, its path, or in browsers its URL
 * @throws UnsupportedOpError naming every node that Fovea has no op for; FormatError for damaged files; FileError
 * @example
 * const model = await onnx.load("classifier.onnx");
 * const { logits } = await model.run({ image });
 */
export async function load(source: Bytes | string | URL, options: OnnxLoadOptions = {}): Promise<OnnxModel> {
  const isBytes = source instanceof Uint8Array;
  const file = isBytes ? (options.name ?? "the ONNX model") : String(source);
  const model = readMessage(ModelProto, isBytes ? source : await platform.files.read(file), file);
  if (model.graph === undefined || model.opsetImport.length === 0) {
    throw new FormatError(
      `${file}: it has no ${model.graph === undefined ? "graph" : "opset"}. Fix: the file is damaged, or is not an ONNX model.`,
    );
  }
  const external = await externalReader(
    model.graph,
    file,
    isBytes ? { files: options.externalData ?? {} } : { beside: file },
  );
  const opsets = opsetsOf(model.opsetImport);
  const planner = new Planner({
    file,
    functions: model.functions,
    readTensor: (tensor: TensorProto, what: string) => readTensor(tensor, what, external(tensor, what)),
  });
  const plan = planner.graph(model.graph, opsets);
  planner.finish();
  return new OnnxModel(plan, Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value])));
}

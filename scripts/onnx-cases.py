"""Writes the ONNX project's cases for single nodes as folders that `npm run onnx:cases` runs.

    pip install onnx
    python3 scripts/onnx-cases.py cases
"""

import sys
from pathlib import Path

from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases


def message(value, type_proto):
    if type_proto.HasField("sequence_type"):
        return numpy_helper.from_list(value)
    if type_proto.HasField("optional_type"):
        return numpy_helper.from_optional(value)
    return value if isinstance(value, TensorProto) else numpy_helper.from_array(numpy_helper.np.asarray(value))


root = Path(sys.argv[1])
cases = collect_testcases(None)
for case in cases:
    folder = root / case.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString())
    graph = case.model.graph
    for number, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{number}"
        data.mkdir(exist_ok=True)
        for kind, values, infos in (("input", inputs, graph.input), ("output", outputs, graph.output)):
            for i, value in enumerate(values):
                (data / f"{kind}_{i}.pb").write_bytes(message(value, infos[i].type).SerializeToString())
print(f"{len(cases)} cases in {root}")

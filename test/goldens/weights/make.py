"""Files of weights as PyTorch and NumPy write them, and what is in them, for test/goldens/weights.test.ts.

Needs Debian's python3-torch.

  /usr/bin/python3 test/goldens/weights/make.py
"""

import argparse
import collections
import json
import pathlib

import numpy as np
import torch

folder = pathlib.Path(__file__).parent
generator = torch.Generator().manual_seed(7)


def random(*shape):
    return torch.randn(*shape, generator=generator)


base = random(4, 6)
tensors = collections.OrderedDict(
    plain=random(3, 5),
    # Views of one storage: turned, every second column, all of it, and a part from the middle on.
    turned=base.t(),
    part=base[1:3, ::2],
    whole=base,
    rest=base[2:],
    channels_last=random(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
    expanded=torch.tensor([2.0, 3.0])[:, None].expand(2, 3),
    scalar=torch.tensor(3.5),
    empty=torch.zeros(0, 3),
    double=random(3).double(),
    half=random(7).half(),
    brain=random(7).bfloat16(),
    int64=torch.tensor([1, -2, 2**40]),
    int32=torch.arange(5, dtype=torch.int32),
    int16=torch.arange(-300, 300, 100, dtype=torch.int16),
    int8=torch.arange(-3, 3, dtype=torch.int8),
    uint8=torch.arange(200, 205, dtype=torch.uint8),
    bool=torch.tensor([True, False]),
    parameter=torch.nn.Parameter(torch.ones(2, 2)),
)

model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Flatten(), torch.nn.Linear(8, 3))
optimizer = torch.optim.Adam(model.parameters())
model(random(4, 1, 4, 4)).sum().backward()
optimizer.step()
checkpoint = {
    "epoch": 3,
    "best": np.float64(0.5),
    "lr": 0.1,
    "name": "é",
    "seed": 2**70,
    "flags": (True, None, [1, -2, 3_000_000_000]),
    "size": torch.Size([1, 2]),
    "device": torch.device("cpu"),
    "type": torch.float16,
    "state_dict": torch.nn.DataParallel(model).state_dict(),
    "optimizer": optimizer.state_dict(),
    "scheduler": torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5]).state_dict(),
}


def save(value, name, **options):
    torch.save(value, folder / f"{name}.pth", **options)


for layout, new in (("archive", True), ("legacy", False)):
    save(tensors, layout, _use_new_zipfile_serialization=new)
    save(checkpoint, f"{layout}-checkpoint", _use_new_zipfile_serialization=new)
    save(list(tensors.values())[:2], f"{layout}-list", _use_new_zipfile_serialization=new)
    save({"args": argparse.Namespace(lr=0.1), "w": torch.ones(1)}, f"{layout}-refused", _use_new_zipfile_serialization=new)
for protocol in (3, 4, 5):
    save(tensors, f"legacy-protocol{protocol}", _use_new_zipfile_serialization=False, pickle_protocol=protocol)
save(tensors, "archive-protocol4", pickle_protocol=4)
torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), folder / "script.pth")

arrays = {name: tensor.detach().numpy() for name, tensor in tensors.items() if name != "brain"}
arrays["columns"] = np.asfortranarray(np.arange(24, dtype=np.float32).reshape(2, 3, 4))
arrays["big_endian"] = np.arange(5, dtype=">f4")
np.savez(folder / "stored.npz", **arrays)
np.savez_compressed(folder / "deflated.npz", **arrays)
# For scripts/fuzz.ts, which reads it very often.
np.savez_compressed(folder / "small.npz", **{name: arrays[name] for name in ("plain", "bool", "columns")})


def described(tensor):
    values = tensor.detach().contiguous().flatten()
    return {
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "shape": list(tensor.shape),
        "values": [str(value) for value in (values.double() if values.is_floating_point() else values).tolist()],
    }


everything = {name: described(tensor) for name, tensor in tensors.items()}
for name in ("columns", "big_endian"):
    everything[name] = described(torch.from_numpy(arrays[name].astype("<f4")))
states = {name: described(tensor) for name, tensor in model.state_dict().items()}
(folder / "values.json").write_text(json.dumps({"tensors": everything, "model": states}))

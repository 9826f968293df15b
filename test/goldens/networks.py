"""What torchvision's networks and a LeNet-5 in PyTorch compute, for test/models/torchvision.test.ts and scripts/zoo.ts.

Weights and pictures come from a formula that test/support/torchvision.ts repeats, so that the goldens hold only outputs.
Needs Debian's python3-torchvision.

  /usr/bin/python3 test/goldens/networks.py                      writes networks.safetensors beside this file
  /usr/bin/python3 test/goldens/networks.py FILE '[{"name": …}]'  writes the outputs of other cases to FILE
"""

import inspect
import json
import pathlib
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

torch.set_num_threads(2)

# For each: `name` in the registry; torchvision's builder where it has another name; its arguments; the side of the pictures;
# `width`, which narrows networks that are a chain of layers; `channels` of the pictures; LeNet-5's `output`.
CASES = [
    dict(name="lenet5-1998", size=32, channels=1, output="linear"),
    dict(name="lenet5-1998", size=32, channels=1, output="rbf"),
    dict(name="alexnet", size=80, width=1 / 16),
    dict(name="vgg11", size=64, width=1 / 16),
    dict(name="vgg13", size=64, width=1 / 16),
    dict(name="vgg16", size=64, width=1 / 16),
    dict(name="vgg19", size=64, width=1 / 16),
    dict(name="vgg11_bn", size=64, width=1 / 16),
    dict(name="vgg19_bn", size=64, width=1 / 16),
    dict(name="googlenet", size=96),
    dict(name="inception_v3", size=299, batch=3),
    dict(name="resnet18", size=64),
    dict(name="resnet34", size=64),
    dict(name="resnet50", size=64),
    dict(name="resnet101", size=64),
    dict(name="resnet152", size=64),
    dict(name="squeezenet1_0", size=64),
    dict(name="squeezenet1_1", size=64),
    dict(name="mobilenet_v2", size=64),
]


def values(name, shape):
    """Float32 numbers that depend on the name and the place only: like fresh weights in size, and unlike each other."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = (seed ^ byte) * 0x01000193 & 0xFFFFFFFF
    size = int(np.prod(shape))
    bits = np.arange(size, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(seed)
    bits ^= bits >> np.uint32(16)
    bits *= np.uint32(0x85EBCA6B)
    bits ^= bits >> np.uint32(13)
    bits *= np.uint32(0xC2B2AE35)
    bits ^= bits >> np.uint32(16)
    unit = (bits >> np.uint32(8)) / 2.0**24
    if len(shape) > 1:
        result = (2 * unit - 1) * np.sqrt(6 / (size / shape[0]))
    elif name.endswith((".weight", ".running_var")):
        # What is added to a shortcut is small, or differences in rounding would grow from block to block.
        result = (unit + 0.5) * (0.25 if name.endswith(".bn3.weight") else 1)
    else:
        result = 0.2 * unit - 0.1
    return torch.from_numpy(result.astype(np.float32).reshape(shape))


def pictures(batch, channels, size):
    """Areas of 8×8 colours with noise on them: statistics of pictures that are all alike would be hard to compute."""
    colours = values("colours", (batch * channels * 8 * 8,)).double().reshape(batch, channels, 8, 8)
    noise = values("noise", (batch * channels * size * size,)).double().reshape(batch, channels, size, size)
    area = torch.arange(size) * 8 // size
    return (10 * colours[:, :, area][:, :, :, area] + 3 * noise).float()


def statistics(model, name):
    """The mean over all channels of a running statistic, for each layer."""
    found = {key: tensor.mean() for key, tensor in model.state_dict().items() if key.endswith(name)}
    return torch.stack([found[key] for key in sorted(found)])


class Subsampling(nn.Module):
    def __init__(self, maps):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(maps)), nn.Parameter(torch.empty(maps))

    def forward(self, x):
        squares = x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]
        return squares * self.weight[:, None, None] + self.bias[:, None, None]


class PartialConvolution(nn.Module):
    """Table I of the paper, as it is printed: a row for each map of S2, a column for each of C3."""

    TABLE = """
        X...XXX..XXXX.XX
        XX...XXX..XXXX.X
        XXX...XXX..X.XXX
        .XXX..XXXX..X.XX
        ..XXX..XXXX.XX.X
        ...XXX..XXXX.XXX
    """.split()

    def __init__(self):
        super().__init__()
        self.seen = [[row for row in range(6) if self.TABLE[row][column] == "X"] for column in range(16)]
        self.weight = nn.Parameter(torch.empty(sum(map(len, self.seen)), 5, 5))
        self.bias = nn.Parameter(torch.empty(16))

    def forward(self, x):
        kernels = self.weight.split([len(rows) for rows in self.seen])
        maps = [F.conv2d(x[:, rows], kernel[None], bias[None]) for rows, kernel, bias in zip(self.seen, kernels, self.bias)]
        return torch.cat(maps, 1)


class LeNet5(nn.Module):
    """LeNet-5 of 1998."""

    def __init__(self, output):
        super().__init__()
        self.c1, self.s2 = nn.Conv2d(1, 6, 5), Subsampling(6)
        self.c3, self.s4 = PartialConvolution(), Subsampling(16)
        self.c5, self.f6 = nn.Conv2d(16, 120, 5), nn.Linear(120, 84)
        self.output = nn.Linear(84, 10, bias=output == "linear")

    def forward(self, x):
        def squash(z):
            return 1.7159 * torch.tanh(2 / 3 * z)

        for layer in [self.c1, self.s2, self.c3, self.s4, self.c5]:
            x = squash(layer(x))
        x = squash(self.f6(x.flatten(1)))
        if self.output.bias is not None:
            return self.output(x)
        return -((x[:, None] - self.output.weight) ** 2).sum(2)


def narrow(model, width):
    """The same chain of layers with fewer channels everywhere but at its ends."""

    def scaled(channels):
        # Rounded half up, as JavaScript does.
        return max(1, int(channels * width + 0.5))

    last = [module for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))][-1]
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.Conv2d):
            inputs = module.in_channels if module.in_channels == 3 else scaled(module.in_channels)
            outputs = module.out_channels if module is last else scaled(module.out_channels)
            layer = nn.Conv2d(inputs, outputs, module.kernel_size, module.stride, module.padding)
        elif isinstance(module, nn.Linear):
            outputs = module.out_features if module is last else scaled(module.out_features)
            layer = nn.Linear(scaled(module.in_features), outputs)
        elif isinstance(module, nn.BatchNorm2d):
            layer = nn.BatchNorm2d(scaled(module.num_features))
        else:
            continue
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, layer)
    return model


def build(case):
    if case["name"] == "lenet5-1998":
        return LeNet5(case["output"])
    builder = getattr(torchvision.models, case.get("builder", case["name"]))
    options = dict(case.get("options", {}), weights=None, num_classes=case.get("classes", 10))
    # The initial weights are replaced, and drawing them is slow.
    if "init_weights" in inspect.signature(builder).parameters or case["name"].startswith(("vgg", "googlenet", "inception")):
        options["init_weights"] = False
    model = builder(**options)
    return narrow(model, case["width"]) if "width" in case else model


def outputs(case):
    """The scores of a batch when evaluating and when training without dropout, and what running statistics are then."""
    model = build(case)
    state = model.state_dict()
    for name, tensor in state.items():
        if tensor.dim() > 0:
            tensor.copy_(values(name, tuple(tensor.shape)))
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0
    # In float64, so that the difference is all Fovea's.
    model.double()
    size = case["size"]
    x = pictures(case.get("batch", 4), case.get("channels", 3), size).double()
    with torch.no_grad():
        model.eval()
        results = {"evaluating": model(x)}
        model.train()
        trained = model(x)
        if isinstance(trained, torch.Tensor):
            results["training"] = trained
        else:
            results["training"] = trained.logits
            # GoogLeNet's first auxiliary classifier comes out under the second's name, and the other way round.
            names = ["aux_logits2", "aux_logits1"] if hasattr(trained, "aux_logits1") else ["aux_logits"]
            results |= {f"auxiliary{i}": getattr(trained, name) for i, name in enumerate(names)}
    if any(key.endswith("running_mean") for key in state):
        results["means"] = statistics(model, "running_mean")
        results["variances"] = statistics(model, "running_var")
    count = sum(parameter.numel() for parameter in model.parameters())
    return results, dict(case, parameters=count, batch=len(x))


def write(path, cases):
    tensors, described = {}, []
    for i, case in enumerate(cases):
        results, description = outputs(case)
        tensors |= {f"{i}.{key}": tensor.float().contiguous() for key, tensor in results.items()}
        described.append(description)
    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    header, body = {"__metadata__": {"cases": json.dumps(described), **versions}}, b""
    for key, tensor in tensors.items():
        data = tensor.numpy().tobytes()
        header[key] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + body)


if len(sys.argv) > 2:
    write(sys.argv[1], json.loads(sys.argv[2]))
else:
    write(pathlib.Path(__file__).parent / "networks.safetensors", CASES)

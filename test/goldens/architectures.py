"""Writes architectures.json beside this file: what torchvision's networks consist of, counted by hooks.

For every layer with multiply-adds: its class, output (without the batch), parameters and multiply-adds (a convolution's
outputs times the weights that each is made of, a matrix product's likewise, without bias); in all, parameters and
multiply-adds.

Run with Debian's python3-torchvision:  /usr/bin/python3 test/goldens/architectures.py
"""

import json
import pathlib

import torch
import torchvision
from torch import nn

HERE = pathlib.Path(__file__).parent
NAMES = (
    ["alexnet", "googlenet", "inception_v3", "squeezenet1_0", "squeezenet1_1", "mobilenet_v2"]
    + [f"vgg{depth}{bn}" for depth in (11, 13, 16, 19) for bn in ("", "_bn")]
    + [f"resnet{depth}" for depth in (18, 34, 50, 101, 152)]
)


def count(name):
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    model = getattr(torchvision.models, name)(weights=None, **options).eval()
    layers = {}

    def watch(path):
        def hook(module, inputs, output):
            macs = output[0].numel() * module.weight[0].numel()
            parameters = sum(p.numel() for p in module.parameters())
            layers[path] = [type(module).__name__, list(output.shape[1:]), parameters, macs]

        return hook

    for path, module in model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.register_forward_hook(watch(path))
    size = 299 if name == "inception_v3" else 224
    with torch.no_grad():
        model(torch.zeros(1, 3, size, size))
    parameters = sum(p.numel() for p in model.parameters())
    return {"parameters": parameters, "macs": sum(layer[3] for layer in layers.values()), "layers": layers}


counts = {name: count(name) for name in NAMES}
lines = [f"{json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}" for name, entry in counts.items()]
head = json.dumps({"torchvision": torchvision.__version__})[1:-1]
(HERE / "architectures.json").write_text("{" + ",\n".join([head] + lines) + "}\n")

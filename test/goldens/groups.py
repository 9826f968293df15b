"""What PyTorch's optimizers make of groups of parameters, its average of weights and its clipping, for test/train/optimizers.test.ts.

Needs Debian's python3-torch:  /usr/bin/python3 test/goldens/groups.py     writes groups.json beside this file
"""

import json
import pathlib

import torch

HERE = pathlib.Path(__file__).parent
x = [[1.0, 2.0], [-1.0, 0.5], [0.25, -2.0]]
y = [[1.0], [0.0], [-1.5]]
weight, bias = [[0.5, -0.25]], [0.1]


def train(make):
    """Weight and bias after ten steps of a linear regression."""
    w, b = (torch.tensor(values, dtype=torch.float64, requires_grad=True) for values in (weight, bias))
    inputs, targets = (torch.tensor(values, dtype=torch.float64) for values in (x, y))
    optimizer = make([dict(params=[w]), dict(params=[b], lr=0.02, weight_decay=0)])
    for _ in range(10):
        optimizer.zero_grad()
        ((inputs @ w.T + b - targets) ** 2).mean().backward()
        optimizer.step()
    return w.flatten().tolist() + b.tolist()


found = dict(
    SGD=train(lambda groups: torch.optim.SGD(groups, lr=0.1, momentum=0.9, weight_decay=0.3)),
    Adam=train(lambda groups: torch.optim.Adam(groups, lr=0.1, weight_decay=0.3)),
    AdamW=train(lambda groups: torch.optim.AdamW(groups, lr=0.1, weight_decay=0.3)),
)


def average():
    """The moving average of a layer's weight and bias over ten steps, the first step's being the first."""
    layer = torch.nn.Linear(2, 1).double()
    layer.load_state_dict(dict(weight=torch.tensor(weight), bias=torch.tensor(bias)))
    averaged = torch.optim.swa_utils.AveragedModel(layer, avg_fn=lambda mean, value, _: 0.7 * mean + 0.3 * value)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    inputs, targets = (torch.tensor(values, dtype=torch.float64) for values in (x, y))
    for _ in range(10):
        optimizer.zero_grad()
        ((layer(inputs) - targets) ** 2).mean().backward()
        optimizer.step()
        averaged.update_parameters(layer)
    return [value for part in averaged.module.parameters() for value in part.flatten().tolist()]




def clipped():
    """A layer's weight and bias after ten steps with gradients of a norm of at most 0.4, which most exceed at first."""
    layer = torch.nn.Linear(2, 1).double()
    layer.load_state_dict(dict(weight=torch.tensor(weight), bias=torch.tensor(bias)))
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.3, momentum=0.5)
    inputs, targets = (torch.tensor(values, dtype=torch.float64) for values in (x, y))
    for _ in range(10):
        optimizer.zero_grad()
        ((layer(inputs) - targets) ** 2).mean().backward()
        torch.nn.utils.clip_grad_norm_(layer.parameters(), 0.4)
        optimizer.step()
    return [value for part in layer.parameters() for value in part.flatten().tolist()]


found["average"] = average()
found["clipped"] = clipped()
(HERE / "groups.json").write_text(json.dumps(dict(torch=torch.__version__, x=x, y=y, weight=weight, bias=bias, after=found)) + "\n")

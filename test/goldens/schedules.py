"""The learning rates of PyTorch's schedules, for test/train/schedules.test.ts.

Needs Debian's python3-torch:  /usr/bin/python3 test/goldens/schedules.py     writes schedules.json beside this file
"""

import json
import pathlib

import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, OneCycleLR, SequentialLR, StepLR

HERE = pathlib.Path(__file__).parent


def rates(make, steps):
    """The rate before each step and after the last."""
    optimizer = SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4, momentum=0.9)
    schedule = make(optimizer)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found + [optimizer.param_groups[0]["lr"]]


def warmed(follow, steps, start):
    def make(optimizer):
        then = follow(optimizer)
        return SequentialLR(optimizer, [LinearLR(optimizer, start, total_iters=steps), then], [steps])

    return make


def main():
    found = dict(
        one_cycle=rates(lambda o: OneCycleLR(o, 0.4, total_steps=50), 49),
        one_cycle_options=rates(
            lambda o: OneCycleLR(o, 0.4, total_steps=31, pct_start=0.45, div_factor=10, final_div_factor=100), 30
        ),
        warmup_cosine=rates(warmed(lambda o: CosineAnnealingLR(o, 20), 5, 0.1), 25),
        warmup_step=rates(warmed(lambda o: StepLR(o, 4, 0.5), 3, 0.25), 20),
    )
    (HERE / "schedules.json").write_text(json.dumps(dict(torch=torch.__version__, rates=found)) + "\n")


main()

"""PyTorch's side of bench/lenet.ts: trains LeNet-5 on request.

Reads lines of `threads batch steps`, answers with the milliseconds that a step took on average.
"""

import sys
import time

import torch
from torch import nn

model = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
    nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
    nn.Conv2d(16, 120, 5), nn.Tanh(), nn.Flatten(),
    nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
loss_of = nn.CrossEntropyLoss()
batches = {}

print(torch.__version__, flush=True)
for line in sys.stdin:
    threads, batch, steps = map(int, line.split())
    torch.set_num_threads(threads)
    if batch not in batches:
        batches[batch] = torch.rand(batch, 1, 28, 28), torch.arange(batch) % 10
    x, y = batches[batch]
    begun = time.perf_counter()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        loss.item()
    print(1000 * (time.perf_counter() - begun) / steps, flush=True)

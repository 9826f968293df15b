"""What PyTorch makes of two heads with missing labels, by fixed weights and by learnt ones, and scikit-learn of wrong numbers, for
test/train/tasks.test.ts.

Needs Debian's python3-torch and python3-sklearn:  /usr/bin/python3 test/goldens/tasks.py     writes tasks.json beside this file
"""

import json
import pathlib

import torch
from sklearn import metrics
from torch.nn.functional import cross_entropy

HERE = pathlib.Path(__file__).parent
torch.manual_seed(5)
pixels = torch.randint(0, 256, (8, 4))
smile = [0, 2, -1, 1, -1, 2, 0, -1]
age = [31.0, None, 64.0, 18.5, 47.0, None, None, 25.0]
mean, std = 40.0, 20.0
start = dict(
    body=(torch.randn(5, 4), torch.randn(5)), smile=(torch.randn(3, 5), torch.randn(3)), age=(torch.randn(1, 5), torch.randn(1))
)


def train(learned):
    """Weights after 12 steps, and what the loss was in each."""
    parts = {name: [t.double().clone().requires_grad_() for t in pair] for name, pair in start.items()}
    logs = [torch.zeros((), dtype=torch.float64, requires_grad=True) for _ in range(2)]
    trained = [t for pair in parts.values() for t in pair] + (logs if learned else [])
    optimizer = torch.optim.SGD(trained, lr=0.2, momentum=0.9)
    classes = torch.tensor(smile)
    known = torch.tensor([value is not None for value in age])
    numbers = torch.tensor([0.0 if value is None else (value - mean) / std for value in age], dtype=torch.float64)
    losses = []
    for _ in range(12):
        linear = lambda name, x: x @ parts[name][0].T + parts[name][1]
        features = torch.tanh(linear("body", pixels.double() / 255))
        smiles = cross_entropy(linear("smile", features), classes, ignore_index=-1)
        ages = ((linear("age", features)[:, 0] - numbers)[known] ** 2).mean()
        if learned:
            loss = torch.exp(-logs[0]) * smiles + logs[0] / 2 + torch.exp(-logs[1]) * ages / 2 + logs[1] / 2
        else:
            loss = smiles + 0.25 * ages
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append([smiles.item(), ages.item()])
    return dict(
        losses=losses,
        weights={name: [t.flatten().tolist() for t in pair] for name, pair in parts.items()},
        logVariances=[log.item() for log in logs],
    )


told, right = torch.randn(40).tolist(), (3 * torch.randn(40) + 1).tolist()
result = dict(
    regression=dict(
        told=told,
        right=right,
        meanAbsoluteError=metrics.mean_absolute_error(right, told),
        meanSquaredError=metrics.mean_squared_error(right, told),
        explained=metrics.r2_score(right, told),
    ),
    torch=torch.__version__,
    pixels=pixels.flatten().tolist(),
    smile=smile,
    age=age,
    mean=mean,
    std=std,
    start={name: [t.flatten().tolist() for t in pair] for name, pair in start.items()},
    fixed=train(False),
    learned=train(True),
)
(HERE / "tasks.json").write_text(json.dumps(result) + "\n")

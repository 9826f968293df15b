"""PyTorch's side of a comparison as a process: the protocol of serve.ts, the networks of works.ts."""

import json
import sys
import time
import traceback

import numpy as np
import torch
import torchvision
from torch import nn


def lenet5():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(16, 120, 5), nn.Tanh(), nn.Flatten(),
        nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    )


def vgg6():
    layers, channels = [], 3
    for width in (64, 128, 256):
        for _ in range(2):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(256 * 4 * 4, 10))


NETWORKS = {
    "lenet5": lenet5,
    "vgg6": vgg6,
    "vgg16": lambda: torchvision.models.vgg16(),
    "alexnet": lambda: torchvision.models.alexnet(),
    "resnet18": lambda: torchvision.models.resnet18(),
    "googlenet": lambda: torchvision.models.googlenet(aux_logits=False, init_weights=False),
}


def peak_memory():
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def load(network, path):
    saved = {name: value for name, value in torch.load(path).items() if not name.startswith("aux")}
    own = [name for name in network.state_dict() if not name.endswith("num_batches_tracked")]
    if set(own) != set(saved):
        # Other names, the same order.
        saved = dict(zip(own, saved.values(), strict=True))
    network.load_state_dict(saved, strict=False)


class Session:
    def __init__(self, job):
        work, files = job["work"], job.get("files")
        torch.set_num_threads(job["threads"])
        torch.manual_seed(0)
        self.network = NETWORKS[work["network"]]()
        self.training = work["kind"] == "training"
        shape = [work["batch"], *work["input"]]
        if files is None:
            self.pictures = torch.rand(shape) * 2 - 1
        else:
            load(self.network, files["weights"])
            self.pictures = torch.from_numpy(np.fromfile(files["pictures"], np.float32).reshape(shape))
        self.network.train(self.training)
        if self.training:
            self.labels = (torch.arange(work["batch"]) * 7) % work["classes"]
            self.loss_of = nn.CrossEntropyLoss()
            settings = job["training"]
            self.optimizer = torch.optim.SGD(self.network.parameters(), lr=settings["lr"], momentum=settings["momentum"])

    def run(self):
        if not self.training:
            with torch.inference_mode():
                return self.network(self.pictures).numpy().ravel()
        self.optimizer.zero_grad()
        loss = self.loss_of(self.network(self.pictures), self.labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def outputs(self, steps):
        if not self.training:
            return self.run().tolist()
        dropouts = [(each, each.p) for each in self.network.modules() if isinstance(each, nn.Dropout)]
        for each, _ in dropouts:
            each.p = 0.0
        losses = [self.run() for _ in range(steps)]
        for each, p in dropouts:
            each.p = p
        return losses

    def time(self, runs, clock):
        now = time.perf_counter if clock == "wall" else time.process_time
        times = []
        for _ in range(runs):
            begun = now()
            self.run()
            times.append(1000 * (now() - begun))
        return times


def answer(request):
    global session
    if request["call"] == "open":
        session = Session(request["job"])
        return f"PyTorch {torch.__version__}"
    if request["call"] == "outputs":
        return session.outputs(request["steps"])
    if request["call"] == "time":
        return session.time(request["runs"], request["clock"])
    return peak_memory()


session = None
print(json.dumps({"value": {"version": torch.__version__, "memory": peak_memory()}}), flush=True)
for line in sys.stdin:
    try:
        reply = {"value": answer(json.loads(line))}
    except Exception:
        reply = {"error": traceback.format_exc()}
    print(json.dumps(reply), flush=True)

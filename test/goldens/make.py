"""Writes the goldens beside this file: what PyTorch computes, for test/goldens/*.test.ts to compare with.

Run with Debian's python3-torch:  /usr/bin/python3 test/goldens/make.py [activations …]
"""

import json
import pathlib
import struct
import sys

import torch
import torch.nn.functional as F
from torch import nn

HERE = pathlib.Path(__file__).parent
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def save(name, tensors, metadata):
    """Writes float32, int32 and uint8 tensors as a safetensors file."""
    header, body = {"__metadata__": {"cases": json.dumps(metadata), "torch": torch.__version__}}, b""
    for key, tensor in tensors.items():
        tensor = tensor.detach().contiguous()
        kind = {torch.int32: "I32", torch.uint8: "U8"}.get(tensor.dtype, "F32")
        data = tensor.numpy().tobytes()
        header[key] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    (HERE / f"{name}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)


def convolutions():
    """Outputs and gradients on non-square, odd, strided, dilated and grouped shapes."""
    cases = [
        dict(input=[2, 3, 9, 7], weight=[4, 3, 3, 2], stride=[1, 1], padding=[0, 0], dilation=[1, 1], groups=1),
        dict(input=[3, 4, 11, 8], weight=[6, 2, 3, 5], stride=[2, 3], padding=[1, 2], dilation=[1, 1], groups=2),
        dict(input=[1, 5, 13, 10], weight=[7, 5, 3, 3], stride=[1, 2], padding=[2, 3], dilation=[2, 3], groups=1),
        dict(input=[2, 6, 7, 9], weight=[6, 1, 3, 3], stride=[1, 1], padding=[1, 1], dilation=[1, 1], groups=6),
        dict(input=[2, 6, 12, 5], weight=[9, 2, 4, 2], stride=[3, 1], padding=[3, 0], dilation=[1, 2], groups=3),
        dict(input=[4, 8, 5, 6], weight=[5, 8, 1, 1], stride=[1, 1], padding=[0, 0], dilation=[1, 1], groups=1),
        dict(input=[3, 8, 5, 6], weight=[5, 8, 1, 1], stride=[2, 2], padding=[0, 0], dilation=[1, 1], groups=1),
        dict(input=[5, 6, 5, 5], weight=[16, 6, 5, 5], stride=[1, 1], padding=[0, 0], dilation=[1, 1], groups=1),
        dict(input=[1, 1, 28, 28], weight=[6, 1, 5, 5], stride=[1, 1], padding=[2, 2], dilation=[1, 1], groups=1),
        dict(input=[2, 1, 6, 6], weight=[2, 1, 2, 2], stride=[4, 4], padding=[0, 0], dilation=[1, 1], groups=1),
    ]
    tensors = {}
    for i, case in enumerate(cases):
        x = torch.randn(case["input"], requires_grad=True)
        w = torch.randn(case["weight"], requires_grad=True)
        b = torch.randn(case["weight"][0], requires_grad=True)
        y = F.conv2d(x, w, b, case["stride"], case["padding"], case["dilation"], case["groups"])
        upstream = torch.randn_like(y)
        gx, gw, gb = torch.autograd.grad(y, [x, w, b], upstream)
        for name, tensor in dict(x=x, w=w, b=b, y=y, upstream=upstream, gx=gx, gw=gw, gb=gb).items():
            tensors[f"{i}.{name}"] = tensor
    save("convolution", tensors, cases)


def pools():
    cases = [
        dict(kind="max", input=[2, 3, 8, 9], kernel=[2, 2], stride=[2, 2], padding=[0, 0], dilation=[1, 1], ceil=False),
        dict(kind="max", input=[1, 2, 11, 7], kernel=[3, 2], stride=[2, 1], padding=[1, 1], dilation=[1, 1], ceil=True),
        dict(kind="max", input=[2, 2, 9, 10], kernel=[3, 3], stride=[1, 2], padding=[1, 0], dilation=[2, 2], ceil=False),
        dict(kind="average", input=[2, 3, 8, 9], kernel=[2, 2], stride=[2, 2], padding=[0, 0], ceil=False, count=True),
        dict(kind="average", input=[1, 2, 11, 7], kernel=[3, 2], stride=[2, 2], padding=[1, 1], ceil=True, count=True),
        dict(kind="average", input=[1, 2, 11, 7], kernel=[3, 2], stride=[2, 2], padding=[1, 1], ceil=True, count=False),
        dict(kind="average", input=[2, 1, 6, 5], kernel=[3, 3], stride=[1, 1], padding=[1, 1], ceil=False, count=False),
    ]
    tensors = {}
    for i, case in enumerate(cases):
        x = torch.randn(case["input"], requires_grad=True)
        args = (x, case["kernel"], case["stride"], case["padding"])
        if case["kind"] == "max":
            y = F.max_pool2d(*args, case["dilation"], case["ceil"])
        else:
            y = F.avg_pool2d(*args, case["ceil"], case["count"])
        upstream = torch.randn_like(y)
        (gx,) = torch.autograd.grad(y, [x], upstream)
        for name, tensor in dict(x=x, y=y, upstream=upstream, gx=gx).items():
            tensors[f"{i}.{name}"] = tensor
    save("pooling", tensors, cases)


def losses():
    tensors = {}
    x = (3 * torch.randn(7, 5)).requires_grad_()
    labels = torch.randint(0, 5, (7,))
    loss = F.cross_entropy(x, labels)
    (gx,) = torch.autograd.grad(loss, [x])
    tensors |= dict(x=x, labels=labels.int(), loss=loss, gx=gx)
    soft = torch.softmax(torch.randn(7, 5), 1)
    loss = F.cross_entropy(x, soft)
    (gx,) = torch.autograd.grad(loss, [x])
    tensors |= dict(soft=soft, softLoss=loss, softGx=gx)
    y = torch.randn(7, 5)
    loss = F.mse_loss(x, y)
    (gx,) = torch.autograd.grad(loss, [x])
    tensors |= dict(y=y, mseLoss=loss, mseGx=gx)
    tensors |= dict(softmax=F.softmax(x, 0), logSoftmax=F.log_softmax(x, 1))
    save("losses", tensors, [])


def optimizers():
    """Weights after each of 20 steps on a small nonlinear problem."""
    cases = [
        dict(kind="SGD", lr=0.1),
        dict(kind="SGD", lr=0.05, momentum=0.9),
        dict(kind="SGD", lr=0.05, momentum=0.8, nesterov=True, weight_decay=0.01),
        dict(kind="SGD", lr=0.1, weight_decay=0.1),
        dict(kind="Adam", lr=0.01),
        dict(kind="Adam", lr=0.02, betas=[0.8, 0.99], eps=1e-6, weight_decay=0.05),
        dict(kind="AdamW", lr=0.01),
        dict(kind="AdamW", lr=0.05, betas=[0.9, 0.95], weight_decay=0.2),
    ]
    x, y = torch.randn(6, 5), torch.randn(6, 3)
    w1, b1, w2 = torch.randn(4, 5), torch.randn(4), torch.randn(3, 4)
    tensors = dict(x=x, y=y, w1=w1, b1=b1, w2=w2)
    for i, case in enumerate(cases):
        parameters = [p.clone().requires_grad_() for p in (w1, b1, w2)]
        options = {key: value for key, value in case.items() if key != "kind"}
        optimizer = getattr(torch.optim, case["kind"])(parameters, **options)
        losses = []
        for step in range(20):
            optimizer.zero_grad()
            a, b, c = parameters
            loss = F.mse_loss(F.linear(torch.tanh(F.linear(x, a, b)), c), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        tensors[f"{i}.losses"] = torch.stack(losses)
        for name, parameter in zip(("w1", "b1", "w2"), parameters):
            tensors[f"{i}.{name}"] = parameter
    save("optimizers", tensors, cases)


class Network(nn.Module):
    """Residual addition, concatenation, batch norm, tied weights and two heads; test/support/network.ts has its twin."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 8, 3, stride=(2, 1), padding=1)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=2)
        self.bn2 = nn.BatchNorm2d(8)
        self.mix = nn.Conv2d(16, 6, 1)
        self.tied = nn.Linear(6, 6, bias=False)
        self.classes = nn.Linear(6, 4)
        self.value = nn.Linear(6, 1)

    def forward(self, x):
        h = torch.relu(self.bn1(self.conv1(x)))
        h = h + torch.relu(self.bn2(self.conv2(h)))
        h = torch.cat([h, F.max_pool2d(h, 3, 1, 1)], 1)
        h = torch.tanh(self.mix(h)).mean((2, 3))
        h = torch.tanh(self.tied(h))
        h = F.linear(h, self.tied.weight)
        return self.classes(h), self.value(h)


def network():
    model = Network()
    tensors = {f"before.{key}": value.clone() for key, value in model.state_dict().items() if value.dim() > 0}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    losses = []
    sizes = [8, 5, 8, 3, 8, 8, 5, 2, 8, 7, 8, 5, 8, 3, 8, 8, 5, 2, 8, 7]
    for step, size in enumerate(sizes):
        x = torch.randn(size, 2, 9, 7)
        labels = torch.randint(0, 4, (size,))
        value = x.mean((1, 2, 3)).unsqueeze(1)
        scores, guess = model(x)
        loss = F.cross_entropy(scores, labels) + 0.5 * F.mse_loss(guess, value)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        tensors |= {f"{step}.x": x, f"{step}.labels": labels.int(), f"{step}.value": value}
    tensors["losses"] = torch.stack(losses)
    tensors |= {f"after.{key}": value for key, value in model.state_dict().items() if value.dim() > 0}
    model.eval()
    scores, guess = model(tensors["0.x"])
    tensors |= {"eval.scores": scores, "eval.guess": guess}
    save("network", tensors, sizes)


def activations():
    """Outputs and gradients of activation functions, also far from 0."""
    functions = dict(
        leakyRelu=lambda x: F.leaky_relu(x, 0.1),
        elu=lambda x: F.elu(x, 1.5),
        selu=F.selu,
        gelu=F.gelu,
        geluTanh=lambda x: F.gelu(x, approximate="tanh"),
        silu=F.silu,
        softplus=lambda x: F.softplus(x, 2),
        logSigmoid=F.logsigmoid,
        mish=F.mish,
        softsign=F.softsign,
        hardtanh=lambda x: F.hardtanh(x, -0.5, 2),
        relu6=F.relu6,
        hardsigmoid=F.hardsigmoid,
        hardswish=F.hardswish,
        hardshrink=lambda x: F.hardshrink(x, 0.7),
        softshrink=lambda x: F.softshrink(x, 0.7),
        erf=torch.erf,
        expm1=lambda x: torch.expm1(x / 8),
        log1p=lambda x: torch.log1p(x * x),
    )
    x = torch.randn(4, 6, 5) * torch.tensor([0.01, 1, 4, 30]).reshape(4, 1, 1)
    upstream = torch.randn_like(x)
    tensors = {"x": x, "upstream": upstream}
    for name, function in functions.items():
        variable = x.double().requires_grad_()
        y = function(variable)
        tensors[f"{name}.y"] = y.float()
        tensors[f"{name}.g"] = torch.autograd.grad(y, variable, upstream.double())[0].float()
    for name, weight in dict(prelu=torch.tensor([0.2]), preluByChannel=torch.randn(6)).items():
        variable, weight = x.clone().requires_grad_(), weight.requires_grad_()
        y = F.prelu(variable, weight)
        gx, gw = torch.autograd.grad(y, [variable, weight], upstream)
        tensors |= {f"{name}.weight": weight, f"{name}.y": y, f"{name}.g": gx, f"{name}.gw": gw}
    save("activations", tensors, list(functions))


def loss_options():
    """Losses with weights, smoothing, ignored labels and each reduction: values and gradients."""
    cases, tensors = [], {}

    def record(name, function, inputs, labels=None, **options):
        """Arguments in order; the first is differentiated."""
        for reduction in ["none", "mean", "sum"] if "reduction" not in options else [options["reduction"]]:
            key = str(len(cases))
            torch_options = {k: v for k, v in options.items() if k not in ("reduction", "fovea")}
            variable = inputs[0].clone().requires_grad_()
            target = labels.long() if labels is not None else inputs[1]
            loss = function(variable, target, reduction=reduction, **torch_options)
            upstream = torch.randn_like(loss)
            gradient = torch.autograd.grad(loss, variable, upstream)[0]
            tensors.update({f"{key}.x": inputs[0], f"{key}.loss": loss, f"{key}.upstream": upstream, f"{key}.gx": gradient})
            if labels is not None:
                tensors[f"{key}.labels"] = labels.int()
            else:
                tensors[f"{key}.target"] = inputs[1]
            plain = {}
            for option, value in torch_options.items():
                if isinstance(value, torch.Tensor):
                    tensors[f"{key}.{option}"] = value
                else:
                    plain[option] = value
            cases.append({"name": name, "reduction": reduction, **plain})

    scores, labels = torch.randn(7, 5) * 3, torch.randint(0, 5, (7,))
    pixels, pixel_labels = torch.randn(2, 4, 3, 5), torch.randint(0, 4, (2, 3, 5))
    weight, pixel_weight = torch.rand(5) + 0.1, torch.rand(4) + 0.1
    ignored, ignored_pixels = labels.clone(), pixel_labels.clone()
    ignored[2], ignored_pixels[0, 1, 2], ignored_pixels[1, 2, :3] = -1, 255, 255
    record("crossEntropy", F.cross_entropy, [scores], labels)
    record("crossEntropy", F.cross_entropy, [scores], labels, weight=weight, label_smoothing=0.1)
    record("crossEntropy", F.cross_entropy, [scores], ignored, weight=weight, label_smoothing=0.2, ignore_index=-1)
    record("crossEntropy", F.cross_entropy, [pixels], pixel_labels)
    record("crossEntropy", F.cross_entropy, [pixels], ignored_pixels, ignore_index=255)
    record("crossEntropy", F.cross_entropy, [pixels], ignored_pixels, weight=pixel_weight, label_smoothing=0.3, ignore_index=255)
    record("crossEntropy", F.cross_entropy, [pixels, torch.randn_like(pixels).softmax(1)], label_smoothing=0.1, weight=pixel_weight)
    record("nllLoss", F.nll_loss, [scores.log_softmax(1)], labels)
    record("nllLoss", F.nll_loss, [pixels.log_softmax(1)], ignored_pixels, weight=pixel_weight, ignore_index=255)
    record("multiMarginLoss", F.multi_margin_loss, [scores], labels)
    record("multiMarginLoss", F.multi_margin_loss, [scores], labels, margin=0.5)
    a, b = torch.randn(4, 6) * 2, torch.randn(4, 6) * 2
    record("mseLoss", F.mse_loss, [a, b])
    record("l1Loss", F.l1_loss, [a, b])
    record("huberLoss", F.huber_loss, [a, b], delta=0.7)
    record("smoothL1Loss", F.smooth_l1_loss, [a, b], beta=0.7)
    yes = torch.rand(4, 6)
    record("binaryCrossEntropyWithLogits", F.binary_cross_entropy_with_logits, [a * 10, yes])
    record("binaryCrossEntropyWithLogits", F.binary_cross_entropy_with_logits, [a, yes], weight=torch.rand(6), pos_weight=torch.rand(6) + 1)
    record("binaryCrossEntropy", F.binary_cross_entropy, [torch.rand(4, 6) * 0.98 + 0.01, yes], weight=torch.rand(4, 1).expand(4, 6))
    p, q = torch.randn(4, 6).softmax(1), torch.randn(4, 6).softmax(1)
    p[1, 2] = 0
    record("klDivLoss", F.kl_div, [q.log(), p])
    record("klDivLoss", F.kl_div, [q.log(), p], reduction="batchmean")
    record("klDivLoss", F.kl_div, [q.log(), (p + 0.1).log()], log_target=True)
    record("multiMarginLoss", F.multi_margin_loss, [scores], labels, p=2, margin=0.7, weight=weight)
    totals = dict(none=lambda x: x, mean=torch.mean, sum=torch.sum)

    def dice(p, t, reduction, smooth=1):
        overlap, size = (p * t).flatten(2).sum(2), (p + t).flatten(2).sum(2)
        return totals[reduction](1 - (2 * overlap + smooth) / (size + smooth))

    def hinge(x, t, reduction, margin=1, squared=False):
        return totals[reduction](F.relu(margin - t * x) ** (2 if squared else 1))

    areas = [torch.rand(2, 3, 4, 5), torch.randint(0, 2, (2, 3, 4, 5)).float()]
    record("diceLoss", dice, areas)
    record("diceLoss", dice, areas, smooth=0.1)
    sides = [torch.randn(4, 6) * 2, torch.randn(4, 6).sign()]
    record("hingeLoss", hinge, sides)
    record("hingeLoss", hinge, sides, margin=0.5, squared=True)
    save("losses-with-options", tensors, cases)


def normalizations():
    """Normalization layers, with their parameters: outputs and gradients."""
    cases, tensors = [], {}

    def record(name, module, shape, running=False, **options):
        key = str(len(cases))
        x = (torch.randn(shape) * 2 + 1).requires_grad_()
        for parameter in module.parameters():
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
        tensors.update({f"{key}.state.{n}": v.clone() for n, v in module.state_dict().items() if v.dim() > 0})
        y = module(x)
        upstream = torch.randn_like(y)
        inputs = [x, *module.parameters()]
        gradients = torch.autograd.grad(y, inputs, upstream)
        tensors.update({f"{key}.x": x, f"{key}.y": y, f"{key}.upstream": upstream, f"{key}.gx": gradients[0]})
        for (n, _), gradient in zip(module.named_parameters(), gradients[1:]):
            tensors[f"{key}.g.{n}"] = gradient
        if running:
            tensors.update({f"{key}.after.{n}": v for n, v in module.state_dict().items() if "running" in n})
            module.eval()
            tensors[f"{key}.evaluated"] = module(x)
        cases.append({"name": name, **options})

    record("BatchNorm1d", nn.BatchNorm1d(5), [7, 5], running=True, arguments=[5])
    record("BatchNorm1d", nn.BatchNorm1d(5, eps=0.1, momentum=0.3), [3, 5, 4], True, arguments=[5, dict(eps=0.1, momentum=0.3)])
    record("BatchNorm2d", nn.BatchNorm2d(3), [4, 3, 5, 2], True, arguments=[3])
    record("BatchNorm3d", nn.BatchNorm3d(2, affine=False), [3, 2, 3, 4, 2], True, arguments=[2, dict(affine=False)])
    record("LayerNorm", nn.LayerNorm(6), [4, 6], arguments=[6])
    record("LayerNorm", nn.LayerNorm([3, 4], eps=0.01), [2, 5, 3, 4], arguments=[[3, 4], dict(eps=0.01)])
    record("GroupNorm", nn.GroupNorm(2, 6), [3, 6, 4, 5], arguments=[2, 6])
    record("GroupNorm", nn.GroupNorm(3, 9, affine=False), [5, 9], arguments=[3, 9, dict(affine=False)])
    record("InstanceNorm1d", nn.InstanceNorm1d(4), [3, 4, 6], arguments=[4])
    record("InstanceNorm2d", nn.InstanceNorm2d(4, affine=True), [3, 4, 3, 5], arguments=[4, dict(affine=True)])
    record("InstanceNorm3d", nn.InstanceNorm3d(2), [2, 2, 3, 2, 3], arguments=[2])
    record("InstanceNorm", nn.InstanceNorm2d(3), [2, 3, 4, 2], arguments=[3])
    record("LocalResponseNorm", nn.LocalResponseNorm(5, 0.8, 0.75, 2), [2, 7, 3, 4], arguments=[5, dict(alpha=0.8, k=2)])
    record("LocalResponseNorm", nn.LocalResponseNorm(4, 2, 0.5, 1), [3, 6, 5], arguments=[4, dict(alpha=2, beta=0.5)])

    class Within(nn.Module):
        def forward(self, x):
            return x / (1 + 0.9 * F.avg_pool2d(x * x, 3, 1, 1)) ** 0.75

    record("LocalResponseNorm", Within(), [2, 3, 5, 6], arguments=[3, dict(alpha=0.9, region="within")])
    save("normalization", tensors, cases)


def all_convolutions():
    """Convolution in one to three dimensions, transposed, with border modes, unshared: outputs and gradients."""
    cases, tensors = [], {}

    def record(name, function, x, weight, bias, **options):
        key = str(len(cases))
        inputs = [tensor.requires_grad_() for tensor in (x, weight, bias)]
        y = function(*inputs)
        upstream = torch.randn_like(y)
        gradients = torch.autograd.grad(y, inputs, upstream)
        names = ["x", "w", "b", "y", "upstream", "gx", "gw", "gb"]
        tensors.update({f"{key}.{n}": t for n, t in zip(names, [*inputs, y, upstream, *gradients])})
        cases.append({"name": name, "options": options})

    def bordered(x, sides, mode):
        """Sides as [before, after] of each axis in order; PyTorch wants them from the last axis on."""
        pairs = [sides[i : i + 2] for i in range(0, len(sides), 2)]
        flat = [side for pair in reversed(pairs) for side in pair]
        return F.pad(x, flat, mode="constant" if mode == "zeros" else mode)

    convolve = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}

    def convolution(x, w, groups=1, stride=1, dilation=1, padding=None, mode="zeros"):
        axes = len(w) - 2
        sides = [0] * (2 * axes) if padding is None else padding
        options = dict(stride=stride, dilation=dilation, groups=groups, padding=sides, paddingMode=mode)
        record(
            f"conv{axes}d",
            lambda a, b, c: convolve[axes](bordered(a, sides, mode), b, c, stride, 0, dilation, groups),
            torch.randn(x),
            torch.randn(w),
            torch.randn(w[0]),
            **options,
        )

    convolution([3, 4, 11], [6, 4, 3])
    convolution([2, 6, 13], [4, 3, 4], groups=2, stride=2, dilation=2, padding=[3, 1])
    convolution([2, 3, 9], [3, 1, 5], groups=3, padding=[2, 2], mode="reflect")
    convolution([2, 3, 7], [2, 3, 3], padding=[3, 2], mode="circular")
    convolution([2, 3, 8, 7], [4, 3, 3, 2], padding=[1, 2, 3, 0], mode="replicate")
    convolution([2, 2, 6, 9], [4, 1, 2, 3], groups=2, stride=[2, 1], padding=[2, 3, 4, 1], mode="reflect")
    convolution([1, 2, 5, 6], [3, 2, 3, 3], dilation=[1, 2], padding=[4, 1, 2, 5], mode="circular")
    convolution([2, 3, 5, 6, 7], [4, 3, 3, 2, 3])
    convolution([2, 4, 7, 6, 5], [6, 2, 3, 3, 2], groups=2, stride=[2, 1, 3], dilation=[2, 1, 1], padding=[2, 1, 0, 1, 1, 2])
    convolution([1, 3, 4, 5, 6], [3, 1, 2, 3, 3], groups=3, padding=[1, 1, 2, 1, 0, 2], mode="replicate")

    transpose = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}

    def transposed(x, w, groups=1, stride=1, padding=0, output_padding=0, dilation=1):
        axes = len(w) - 2
        record(
            f"convTranspose{axes}d",
            lambda a, b, c: transpose[axes](a, b, c, stride, padding, output_padding, groups, dilation),
            torch.randn(x),
            torch.randn(w),
            torch.randn(w[1] * groups),
            **dict(stride=stride, padding=padding, outputPadding=output_padding, groups=groups, dilation=dilation),
        )

    transposed([2, 4, 7], [4, 3, 4], stride=2, padding=1)
    transposed([2, 4, 5], [4, 2, 3], groups=2, stride=3, padding=1, output_padding=2)
    transposed([2, 3, 5], [3, 2, 3], dilation=3, output_padding=2)
    transposed([2, 3, 4, 5], [3, 5, 3, 3])
    transposed([2, 6, 4, 5], [6, 2, 3, 2], groups=3, stride=[2, 3], padding=[1, 0], output_padding=[1, 2])
    transposed([1, 4, 5, 3], [4, 3, 3, 4], stride=[1, 2], padding=[2, 3], dilation=[2, 1])
    transposed([2, 4, 3, 4, 3], [4, 3, 3, 2, 3], stride=[2, 1, 2], padding=[1, 0, 1], output_padding=[1, 0, 0])
    transposed([1, 4, 3, 2, 4], [4, 2, 2, 3, 2], groups=2, stride=2, dilation=[2, 1, 1], padding=[0, 1, 0])

    def unshared(a, w, b, kernel, **options):
        windows = F.unfold(a, kernel, **options)  # N, C * taps, P
        return torch.einsum("ncp,poc->nop", windows, w) + b.t()

    def local(x, out, kernel, **options):
        inputs = torch.randn(x)
        windows = F.unfold(inputs, kernel, **options)
        places, depth = windows.shape[2], windows.shape[1]
        record(
            "locallyConnected2d",
            lambda a, w, b: unshared(a, w, b, kernel, **options),
            inputs,
            torch.randn(places, out, depth),
            torch.randn(places, out),
            kernel=kernel,
            **options,
        )

    local([2, 3, 5, 6], 4, [3, 2])
    local([3, 2, 7, 6], 3, [2, 3], stride=[2, 1], padding=[1, 2], dilation=[2, 1])

    def windows(x, kernel, stride, padding):
        """N×(C·elements)×positions of windows along any number of axes."""
        axes = len(kernel)
        x = F.pad(x, [padding] * (2 * axes))
        for axis in range(axes):
            x = x.unfold(2 + axis, kernel[axis], stride[axis])
        places = range(2, 2 + axes)
        x = x.permute(0, 1, *(place + axes for place in places), *places)
        return x.flatten(2 + axes).flatten(1, 1 + axes)

    def unshared_along(x, out, kernel, stride, padding):
        inputs = torch.randn(x)
        _, depth, places = windows(inputs, kernel, stride, padding).shape
        record(
            f"locallyConnected{len(kernel)}d",
            lambda a, w, b: torch.einsum("ncp,poc->nop", windows(a, kernel, stride, padding), w) + b.t(),
            inputs,
            torch.randn(places, out, depth),
            torch.randn(places, out),
            kernel=kernel,
            stride=stride,
            padding=padding,
        )

    unshared_along([2, 3, 9], 4, [3], [2], 1)
    unshared_along([2, 2, 4, 5, 4], 3, [2, 3, 2], [1, 2, 2], 1)
    save("convolutions-of-all-kinds", tensors, cases)


def resizing():
    """Pooling in one to three dimensions and to given sizes, and upsampling: outputs and gradients."""
    cases, tensors = [], {}

    def record(name, function, shape, *arguments):
        key = str(len(cases))
        x = torch.randn(shape).requires_grad_()
        y = function(x)
        upstream = torch.randn_like(y)
        gradient = torch.autograd.grad(y, x, upstream)[0]
        tensors.update({f"{key}.x": x, f"{key}.y": y, f"{key}.upstream": upstream, f"{key}.gx": gradient})
        cases.append({"name": name, "arguments": arguments})

    record("maxPool1d", lambda x: F.max_pool1d(x, 3, 2, 1), [2, 3, 10], 3, dict(stride=2, padding=1))
    record("maxPool1d", lambda x: F.max_pool1d(x, 2, 1, 0, 3), [2, 3, 10], 2, dict(stride=1, dilation=3))
    record("maxPool3d", lambda x: F.max_pool3d(x, 2), [2, 3, 4, 6, 5], 2)
    record(
        "maxPool3d",
        lambda x: F.max_pool3d(x, [2, 3, 2], [1, 2, 2], [1, 1, 0], [2, 1, 1], True),
        [2, 2, 5, 7, 6],
        [2, 3, 2],
        dict(stride=[1, 2, 2], padding=[1, 1, 0], dilation=[2, 1, 1], ceilMode=True),
    )
    record("minPool2d", lambda x: -F.max_pool2d(-x, 3, 2, 1), [2, 3, 7, 8], 3, dict(stride=2, padding=1))
    record("avgPool1d", lambda x: F.avg_pool1d(x, 3, 2, 1), [2, 3, 10], 3, dict(stride=2, padding=1))
    record(
        "avgPool3d",
        lambda x: F.avg_pool3d(x, [2, 3, 2], [1, 2, 2], [1, 1, 0], True, False),
        [2, 2, 5, 7, 6],
        [2, 3, 2],
        dict(stride=[1, 2, 2], padding=[1, 1, 0], ceilMode=True, countIncludePad=False),
    )
    record(
        "avgPool3d",
        lambda x: F.avg_pool3d(x, 3, 2, 1, True),
        [1, 2, 6, 7, 8],
        3,
        dict(stride=2, padding=1, ceilMode=True),
    )
    record("lpPool2d", lambda x: F.lp_pool2d(x, 2, 2), [2, 3, 6, 8], 2)
    record("lpPool2d", lambda x: F.lp_pool2d(x, 4, [2, 3], 2), [2, 3, 6, 8], [2, 3], dict(p=4, stride=2))
    record("lpPool1d", lambda x: F.lp_pool1d(x, 2, 3), [2, 3, 9], 3)
    record("adaptiveAvgPool1d", lambda x: F.adaptive_avg_pool1d(x, 4), [2, 3, 10], 4)
    record("adaptiveAvgPool2d", lambda x: F.adaptive_avg_pool2d(x, [3, 4]), [2, 3, 7, 8], [3, 4])
    record("adaptiveAvgPool2d", lambda x: F.adaptive_avg_pool2d(x, 1), [2, 3, 7, 8], 1)
    record("adaptiveAvgPool2d", lambda x: F.adaptive_avg_pool2d(x, 5), [1, 2, 3, 3], 5)
    record("adaptiveAvgPool3d", lambda x: F.adaptive_avg_pool3d(x, [2, 3, 2]), [1, 2, 5, 4, 6], [2, 3, 2])
    record("adaptiveMaxPool1d", lambda x: F.adaptive_max_pool1d(x, 4), [2, 3, 10], 4)
    record("adaptiveMaxPool2d", lambda x: F.adaptive_max_pool2d(x, [3, 4]), [2, 3, 7, 8], [3, 4])
    record("adaptiveMaxPool3d", lambda x: F.adaptive_max_pool3d(x, [2, 3, 2]), [1, 2, 5, 4, 6], [2, 3, 2])
    record("globalAvgPool", lambda x: x.mean([2, 3]), [2, 3, 5, 4])
    record("globalMaxPool", lambda x: x.amax([2, 3, 4]), [2, 3, 2, 5, 4])
    for mode, axes in (("linear", 1), ("bilinear", 2), ("trilinear", 3)):
        shape = [2, 3, 4, 5, 3][: axes + 2]
        for corners in (False, True):
            size = [7, 3, 6][:axes]
            record(
                "upsample",
                lambda x: F.interpolate(x, size, mode=mode, align_corners=corners),
                shape,
                dict(size=size, mode="linear", alignCorners=corners),
            )
        record("upsample", lambda x: F.interpolate(x, scale_factor=2, mode=mode), shape, dict(scale=2, mode="linear"))
        record("upsample", lambda x: F.interpolate(x, scale_factor=2, mode="nearest"), shape, dict(scale=2))
        record("upsample", lambda x: F.interpolate(x, size, mode="nearest"), shape, dict(size=size))
    record("upsample", lambda x: F.interpolate(x, scale_factor=1.6, mode="nearest"), [1, 2, 5, 7], dict(scale=1.6))
    record(
        "upsample",
        lambda x: F.interpolate(x, scale_factor=[2.3, 0.7], mode="bilinear", recompute_scale_factor=False),
        [1, 2, 5, 7],
        dict(scale=[2.3, 0.7], mode="linear"),
    )
    record("pixelShuffle", lambda x: F.pixel_shuffle(x, 2), [2, 12, 3, 4], 2)
    record("pixelUnshuffle", lambda x: F.pixel_unshuffle(x, 3), [2, 2, 6, 9], 3)
    record("minPool1d", lambda x: -F.max_pool1d(-x, 3, 2, 1), [2, 3, 10], 3, dict(stride=2, padding=1))
    record("minPool3d", lambda x: -F.max_pool3d(-x, 2, 1), [1, 2, 4, 5, 3], 2, dict(stride=1))
    record("maxout", lambda x: x.reshape(2, 2, 3, 4, 5).amax(2), [2, 6, 4, 5], 3)
    record("crossChannelAvgPool", lambda x: x.reshape(2, 2, 3, 4, 5).mean(2), [2, 6, 4, 5], 3)
    record("crossChannelAvgPool", lambda x: x.reshape(3, 4, 2).mean(2), [3, 8], 2, -1)

    def windows(x, kernel, stride, dilation=1):
        """N×C×positions×elements of windows of two axes."""
        flat = F.unfold(x, kernel, dilation, 0, stride)
        return flat.reshape(x.shape[0], x.shape[1], -1, flat.shape[2]).transpose(2, 3)

    record(
        "avgPool2d",
        lambda x: windows(x, 2, [1, 2], 3).mean(3).reshape(2, 3, 4, 3),
        [2, 3, 7, 8],
        2,
        dict(stride=[1, 2], dilation=3),
    )
    # What a window lacks at the border counts as zeros.
    norm = lambda x: x.square().sum(3).sqrt()
    record(
        "lpPool2d",
        lambda x: norm(windows(F.pad(x, (1, 1, 1, 2)), [3, 2], 2)).reshape(2, 3, 5, 4),
        [2, 3, 8, 7],
        [3, 2],
        dict(stride=2, padding=1, ceilMode=True),
    )
    record(
        "lpPool3d",
        lambda x: (F.avg_pool3d(x**4, [2, 3, 2], [1, 2, 2]) * 12) ** 0.25,
        [1, 2, 4, 7, 6],
        [2, 3, 2],
        dict(stride=[1, 2, 2], p=4),
    )

    def expected(x):
        """The mean of each window's positive elements, weighted by themselves."""
        x = F.relu(x)
        return x.square().sum(-1) / x.sum(-1).clamp(min=1e-30)

    evaluating = dict(training=False)
    record("stochasticPool1d", lambda x: expected(x.unfold(2, 3, 2)), [2, 3, 9], 3, dict(stride=2, **evaluating))
    record("stochasticPool2d", lambda x: expected(windows(x, 3, 3)).reshape(2, 3, 2, 3), [2, 3, 6, 9], 3, evaluating)
    record(
        "stochasticPool3d",
        lambda x: expected(x.unfold(2, 2, 2).unfold(3, 3, 3).unfold(4, 2, 2).flatten(5)),
        [1, 2, 4, 6, 4],
        [2, 3, 2],
        evaluating,
    )
    save("resizing", tensors, cases)


def unpooling():
    """Max pooling with indices in one to three dimensions, and unpooling by them: results and gradients of both."""
    cases, tensors = [], {}
    pool = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
    unpool = {1: F.max_unpool1d, 2: F.max_unpool2d, 3: F.max_unpool3d}

    def record(shape, kernel, stride=None, padding=0, dilation=1, ceil=False, equal=False):
        key, axes = str(len(cases)), len(shape) - 2
        x = torch.randn(shape)
        if equal:
            # Few different values: the first of equal ones must win.
            x = x.round()
        x.requires_grad_()
        options = dict(stride=stride or kernel, padding=padding, dilation=dilation)
        y, indices = pool[axes](x, kernel, ceil_mode=ceil, return_indices=True, **options)
        upstream = torch.randn_like(y)
        (gx,) = torch.autograd.grad(y, x, upstream)
        tensors.update({f"{key}.x": x, f"{key}.y": y, f"{key}.indices": indices.int(), f"{key}.upstream": upstream})
        tensors[f"{key}.gx"] = gx
        cases.append(dict(axes=axes, kernel=kernel, options=dict(**options, ceilMode=ceil)))
        # Where windows overlap, PyTorch keeps one of several values; nothing can be compared.
        cases[-1]["unpool"] = unpools = len(set(indices[0, 0].flatten().tolist())) == indices[0, 0].numel() and not equal
        if unpools and dilation == 1:
            values = torch.randn_like(y).requires_grad_()
            # It is not deterministic for positions that come twice, of which there are none.
            torch.use_deterministic_algorithms(False)
            z = unpool[axes](values, indices, kernel, stride or kernel, padding, output_size=shape[2:])
            back = torch.randn_like(z)
            (gv,) = torch.autograd.grad(z, values, back)
            torch.use_deterministic_algorithms(True)
            tensors.update({f"{key}.values": values, f"{key}.z": z, f"{key}.back": back, f"{key}.gv": gv})
        else:
            cases[-1]["unpool"] = False

    record([2, 3, 10], 2)
    record([2, 3, 11], 3, 3, 1, ceil=True)
    record([2, 3, 12], 2, 1, 1, dilation=3)
    record([2, 3, 9], 3, 2, 1, equal=True)
    record([2, 3, 8, 9], 2)
    record([2, 2, 7, 10], [3, 2], [3, 2], [1, 0], ceil=True)
    record([1, 2, 9, 8], [2, 3], [1, 2], [1, 1], dilation=[2, 1])
    record([2, 3, 6, 5], 3, 1, 1, equal=True)
    record([2, 3, 4, 6, 8], 2)
    record([1, 2, 5, 7, 6], [2, 3, 2], [2, 3, 2], [1, 1, 0], ceil=True)
    record([1, 2, 6, 7, 5], [2, 2, 3], [1, 2, 1], [1, 0, 1], dilation=[2, 3, 1])
    record([2, 2, 5, 4, 6], [3, 2, 3], [1, 1, 2], 1, equal=True, ceil=True)
    save("unpooling", tensors, cases)


def arranging():
    """Repeating, turning, ordering and adding up: outputs and gradients."""
    cases, tensors = [], {}

    def record(name, function, shape, *arguments):
        key = str(len(cases))
        x = torch.randn(shape).requires_grad_()
        y = function(x)
        upstream = torch.randn_like(y)
        gradient = torch.autograd.grad(y, x, upstream)[0]
        tensors.update({f"{key}.x": x, f"{key}.y": y, f"{key}.upstream": upstream, f"{key}.gx": gradient})
        cases.append({"name": name, "arguments": arguments})

    record("repeat", lambda x: x.repeat(2, 3), [2, 3], [2, 3])
    record("repeat", lambda x: x.repeat(2, 1, 3), [2, 3], [2, 1, 3])
    for quarters in (1, 2, -1):
        record("rot90", lambda x: torch.rot90(x, quarters, [2, 3]), [1, 2, 3, 4], quarters)
    record("rot90", lambda x: torch.rot90(x, 1, [2, 0]), [3, 2, 4], 1, [2, 0])
    record("roll", lambda x: torch.roll(x, 2, 1), [3, 5], 2)
    record("roll", lambda x: torch.roll(x, -7, 0), [3, 5], -7, 0)
    record("std", lambda x: x.std(1), [4, 6], 1)
    record("topk", lambda x: x.topk(3).values, [4, 7], 3)
    record("topk", lambda x: x.topk(2, 0).values, [5, 3], 2, 0)
    for length in (1, 5, 64, 65, 200):
        record("cumsum", lambda x: x.cumsum(1), [3, length], 1)
    record("cumsum", lambda x: x.cumsum(1), [2, 130, 3], 1)
    record("cumsum", lambda x: x.cumsum(0), [4500], 0)
    save("arranging", tensors, cases)


def vision():
    """Hand-made kernels by their formulas in float64, what they make of a picture, and templates slid over pictures."""
    tensors = {}

    def bell(x, sigma):
        return torch.exp(-(x**2).sum() / (2 * sigma**2))

    for size, sigma in ((5, 1.2), (4, 0.9), (9, 1.4), (11, 1.8)):
        line = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
        places = [torch.stack([x, y]) for y in line for x in line]
        values = torch.stack([bell(place, sigma) for place in places])
        tensors[f"gaussian.{size}"] = (values / values.sum()).reshape(size, size).float()
        # The Laplacian as the sum of second derivatives, by differentiating twice.
        hessians = [torch.autograd.functional.hessian(lambda p: bell(p, sigma), place) for place in places]
        second = torch.stack([hessian.trace() for hessian in hessians]) / values.sum()
        tensors[f"log.{size}"] = (second - second.mean()).reshape(size, size).float()

    # A slope, a step and a blob between noise, so that mirrored kernels would show.
    picture = torch.rand(2, 3, 9, 11) + torch.linspace(0, 1, 11) ** 2
    tensors["picture"] = picture
    for name, rows in dict(
        sobelX=[[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
        sobelY=[[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
        scharrX=[[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]],
        scharrY=[[-3, -10, -3], [0, 0, 0], [3, 10, 3]],
        laplacian=[[0, 1, 0], [1, -4, 1], [0, 1, 0]],
        sharpen=[[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
        emboss=[[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
        box=[[1 / 9] * 3] * 3,
    ).items():
        weight = torch.tensor(rows, dtype=torch.float32)[None, None].repeat(3, 1, 1, 1)
        tensors[f"zeros.{name}"] = F.conv2d(picture, weight, padding=1, groups=3)
        tensors[f"replicate.{name}"] = F.conv2d(F.pad(picture, [1] * 4, mode="replicate"), weight, groups=3)

    cases = []
    for picture_shape, template_shape, padding in (
        ([9, 12], [3, 4], 0),
        ([3, 8, 9], [3, 4, 3], 0),
        ([2, 1, 10, 7], [4, 1, 3, 2], 0),
        ([2, 3, 7, 8], [2, 3, 3, 3], 2),
    ):
        image = torch.rand(picture_shape) * 4 + 10
        template = torch.rand(template_shape)
        i = len(cases)
        cases.append(dict(padding=padding))
        x = image.double().reshape([-1, *([1] * (3 - image.dim())), *picture_shape[-3:]])
        t = template.double().reshape([-1, *([1] * (3 - template.dim())), *template_shape[-3:]])
        x = F.pad(x, [padding] * 4)
        plain = torch.zeros(x.shape[0], t.shape[0], x.shape[2] - t.shape[2] + 1, x.shape[3] - t.shape[3] + 1)
        cosine = torch.zeros_like(plain)
        for n, k, row, column in torch.cartesian_prod(*[torch.arange(length) for length in plain.shape]).tolist():
            patch = x[n, :, row : row + t.shape[2], column : column + t.shape[3]]
            plain[n, k, row, column] = (patch * t[k]).sum()
            a, b = ((v - v.mean([1, 2], keepdim=True)).flatten() for v in (patch, t[k]))
            lengths = a.norm() * b.norm()
            cosine[n, k, row, column] = (a * b).sum() / lengths if lengths > 0 else 0
        tensors |= {f"{i}.image": image, f"{i}.template": template, f"{i}.plain": plain, f"{i}.cosine": cosine}
    save("vision", tensors, cases)


def pictures():
    """Pictures resized and cropped by Pillow and torchvision, as what pretrained networks were trained on."""
    from PIL import Image
    from torchvision import transforms

    modes = {"bilinear": transforms.InterpolationMode.BILINEAR, "bicubic": transforms.InterpolationMode.BICUBIC}
    cases, tensors = [], {}

    def add(image, result, **case):
        for key, picture in ("image", image), ("result", result):
            pixels = torch.tensor(list(picture.tobytes()), dtype=torch.uint8)
            tensors[f"{len(cases)}.{key}"] = pixels.view(picture.height, picture.width, -1)
        cases.append(case)

    def noise(width, height, channels):
        # A smooth picture with some pixels of full contrast: kernels with negative weights overshoot there.
        flat = torch.rand(channels, 5, 4)
        smooth = F.interpolate(flat[None], size=(height, width), mode="bilinear")[0] * 255
        smooth[:, torch.rand(height, width) < 0.1] = 255
        smooth[:, torch.rand(height, width) < 0.1] = 0
        pixels = smooth.round().byte().permute(1, 2, 0).contiguous()
        return Image.frombytes("L" if channels == 1 else "RGB", (width, height), bytes(pixels.flatten().tolist()))

    for width, height, channels, *size in (
        (37, 23, 3, 8, 11),
        (23, 37, 1, 40, 50),
        (30, 30, 3, 30, 7),
        (16, 40, 1, 39, 16),
        (5, 3, 3, 1, 1),
        (1, 1, 1, 3, 2),
        (64, 48, 3, 31, 31),
    ):
        image = noise(width, height, channels)
        for mode in modes:
            result = image.resize((size[1], size[0]), getattr(Image.Resampling, mode.upper()))
            add(image, result, size=size, interpolation=mode)
    for width, height, resize, crop in ((61, 40, 32, 28), (40, 61, 33, 32), (50, 50, 29, 28), (33, 47, 35, 28)):
        image = noise(width, height, 3)
        for mode in modes:
            fit = transforms.Compose([transforms.Resize(resize, modes[mode]), transforms.CenterCrop(crop)])
            add(image, fit(image), resize=resize, crop=crop, interpolation=mode)
    save("pictures", tensors, cases)


def kit():
    """What is left of the tensor kit: results and gradients. Arguments "$0", "$1" … stand for the inputs."""
    cases, tensors = [], {}

    def record(name, function, inputs, *arguments):
        """Inputs are shapes of random tensors, or tensors; of results that are no floats there is no gradient."""
        key = str(len(cases))
        given = [torch.randn(x) if isinstance(x, list) else x for x in inputs]
        floats = [i for i, x in enumerate(given) if x.dtype == torch.float32]
        for i in floats:
            given[i] = given[i].clone().requires_grad_()
        results = function(*given)
        results = list(results) if isinstance(results, (tuple, list)) else [results]
        tensors.update({f"{key}.x.{i}": x if x.dtype == torch.float32 else x.int() for i, x in enumerate(given)})
        tensors.update({f"{key}.y.{i}": y if y.is_floating_point() else y.int() for i, y in enumerate(results)})
        differentiable = [y for y in results if y.requires_grad]
        case = {"name": name, "inputs": len(given), "arguments": arguments, "results": len(results)}
        if differentiable:
            upstream = [torch.randn_like(y) for y in differentiable]
            gradients = torch.autograd.grad(differentiable, [given[i] for i in floats], upstream, allow_unused=True)
            tensors.update({f"{key}.upstream.{i}": u for i, u in enumerate(upstream)})
            case["gradients"] = [i for i, g in zip(floats, gradients) if g is not None]
            tensors.update({f"{key}.g.{i}": g for i, g in zip(floats, gradients) if g is not None})
        cases.append(case)

    keep = dict(keepdim=True)
    integers = lambda *shape, below=5: torch.randint(0, below, shape)
    flags = lambda *shape: torch.rand(shape) < 0.4

    # Element by element.
    for name, function in dict(abs=torch.abs, neg=torch.neg, exp=torch.exp, sin=torch.sin, cos=torch.cos).items():
        record(name, function, [[3, 5]], "$0")
    for name in ("tanh", "sigmoid", "relu", "sign", "floor", "ceil", "square"):
        record(name, getattr(torch, name), [torch.randn(3, 7) * 3], "$0")
    record("round", torch.round, [torch.tensor([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999997, -3.2, 8.7, 0.0, 1e9])], "$0")
    for name in ("log", "sqrt", "rsqrt"):
        record(name, getattr(torch, name), [torch.rand(3, 5) + 0.1], "$0")
    record("tan", torch.tan, [torch.rand(3, 5) * 2 - 1], "$0")
    for name in ("add", "sub", "mul", "maximum", "minimum"):
        record(name, getattr(torch, name), [[3, 1, 4], [2, 1]], "$0", "$1")
    record("maximum", torch.maximum, [torch.tensor([1.0, 2, 3]), torch.tensor([2.0, 2, 1])], "$0", "$1")
    record("div", torch.div, [[3, 1, 4], torch.rand(2, 1) + 0.5], "$0", "$1")
    record("pow", torch.pow, [torch.rand(3, 4) + 0.1, [4]], "$0", "$1")
    record("pow", lambda x: x**3, [[3, 4]], "$0", 3)
    record("clip", lambda x: x.clip(-0.5, 0.8), [[4, 5]], "$0", -0.5, 0.8)
    record("where", lambda a, b: torch.where(a > b, a, -b), [[3, 4], [4]], {"greater": ["$0", "$1"]}, "$0", {"neg": ["$1"]})
    for name, theirs in dict(equal="eq", notEqual="ne", less="lt", lessEqual="le", greater="gt", greaterEqual="ge").items():
        record(name, getattr(torch, theirs), [integers(3, 4), integers(4)], "$0", "$1")
    for name in ("logicalAnd", "logicalOr"):
        function = getattr(torch, name.replace("A", "_a").replace("O", "_o"))
        record(name, function, [flags(3, 4), flags(4)], {"cast": ["$0", "bool"]}, {"cast": ["$1", "bool"]})
    record("logicalNot", torch.logical_not, [flags(3, 4)], {"cast": ["$0", "bool"]})
    special = torch.tensor([1.0, float("nan"), float("inf"), -float("inf"), 0.0])
    record("isnan", torch.isnan, [special], "$0")
    record("isfinite", torch.isfinite, [special], "$0")
    whole = lambda *shape: torch.randint(-20, 21, shape)
    by = torch.tensor([-3, 1, 2, 7])
    record("quotient", lambda a, b: torch.div(a, b, rounding_mode="trunc"), [whole(5, 4), by], "$0", "$1")
    record("cast", lambda x: x.int(), [torch.randn(9) * 5], "$0", "int32")

    # Reductions.
    for name, function in dict(sum=torch.sum, mean=torch.mean, max=torch.amax, min=torch.amin).items():
        record(name, lambda x: function(x, [0, 2]), [[3, 4, 5]], "$0", [0, 2])
        record(name, lambda x: function(x, 1, keepdim=True), [[3, 4, 5]], "$0", 1, keep)
    # Equal elements share the gradient.
    record("max", lambda x: x.amax(1), [torch.tensor([[1.0, 3, 3], [2, 2, 2]])], "$0", 1)
    record("variance", lambda x: x.var([0, 2]), [[3, 4, 5]], "$0", [0, 2])
    record("variance", lambda x: x.var(1, unbiased=False, keepdim=True), [[3, 4]], "$0", 1, dict(correction=0, **keep))
    record("std", lambda x: x.std([0, 2], keepdim=True), [[3, 4, 5]], "$0", [0, 2], keep)
    record("prod", lambda x: x.prod(1), [[3, 5]], "$0", 1)
    zeros = torch.tensor([[1.0, 0, 2], [0, 0, 3], [4, 5, 6]])
    record("prod", lambda x: x.prod(1, keepdim=True), [zeros], "$0", 1, keep)
    record("prod", lambda x: x.prod(), [[2, 3, 2]], "$0")
    record("norm", lambda x: torch.linalg.vector_norm(x, 2, [0, 2]), [[3, 4, 5]], "$0", [0, 2])
    record("norm", lambda x: torch.linalg.vector_norm(x, 2, 1), [zeros * 0], "$0", 1)
    for p in (1, 3, 0.5):
        record("norm", lambda x: torch.linalg.vector_norm(x, p, 1, keepdim=True), [[3, 5]], "$0", 1, dict(p=p, **keep))
    record("logSumExp", lambda x: x.logsumexp([0, 2]), [torch.randn(3, 4, 5) * 40], "$0", [0, 2])
    record("logSumExp", lambda x: x.logsumexp(1), [torch.tensor([[-float("inf")] * 2, [1.0, 200]])], "$0", 1)
    record("any", lambda x: x.any(1), [torch.tensor([[0, 0], [0, 2], [1, 3]])], "$0", 1)
    record("all", lambda x: x.all(1, keepdim=True), [torch.tensor([[0, 0], [0, 2], [1, 3]])], "$0", 1, keep)
    record("argmax", lambda x: x.argmax(1), [[4, 7]], "$0", 1)
    record("argmin", lambda x: x.argmin(0, keepdim=True), [[4, 7]], "$0", 0, keep)

    # In order.
    record("argsort", lambda x: x.sort(dim=1, stable=True).indices, [integers(3, 40)], "$0", 1)
    record("sort", lambda x: x.sort(dim=0, stable=True), [[30, 3]], "$0", 0)
    record("sort", lambda x: x.sort(dim=-1, stable=True, descending=True), [torch.randn(2, 50).round()], "$0", -1, dict(descending=True))
    nans = torch.tensor([3.0, float("nan"), -1, float("inf"), -0.0, 0.0, float("nan"), -float("inf")])
    for descending in (False, True):
        place = lambda x: x.sort(dim=-1, stable=True, descending=descending).indices
        record("argsort", place, [nans], "$0", -1, dict(descending=descending))
    record("topk", lambda x: x.topk(3), [[4, 9]], "$0", 3)
    record("topk", lambda x: x.topk(12, 0), [[20, 3]], "$0", 12, 0)
    record("median", lambda x: x.median(1).values, [[3, 6]], "$0", 1)
    record("median", lambda x: x.median(0, keepdim=True).values, [[5, 3]], "$0", 0, keep)
    record("median", lambda x: x.median(), [nans[:5]], "$0")
    for q in (0, 0.3, 0.5, 1):
        record("quantile", lambda x: x.quantile(q, 1), [[3, 6]], "$0", q, 1)

    # Shapes and places.
    record("reshape", lambda x: x.reshape(2, -1), [[4, 3]], "$0", [2, -1])
    record("flatten", lambda x: x.flatten(1), [[2, 3, 4]], "$0")
    record("squeeze", lambda x: x.squeeze(1), [[2, 1, 3]], "$0", 1)
    record("unsqueeze", lambda x: x.unsqueeze(-1), [[2, 3]], "$0", -1)
    record("permute", lambda x: x.permute(2, 0, 1), [[2, 3, 4]], "$0", [2, 0, 1])
    record("transpose", lambda x: x.transpose(0, 2), [[2, 3, 4]], "$0", 0, 2)
    record("expand", lambda x: x.expand(4, 3, 2), [[3, 1]], "$0", [4, 3, 2])
    record("slice", lambda x: x[1:4, 2, 0:5:2], [[5, 3, 6]], "$0", [1, 4], 2, [0, 5, 2])
    record("flip", lambda x: x.flip(0, 2), [[2, 3, 4]], "$0", [0, 2])
    record("split", lambda x: x.split(2, 1), [[3, 5]], "$0", 2, 1)
    record("split", lambda x: x.split([1, 3, 2], 0), [[6, 2]], "$0", [1, 3, 2])
    record("concat", lambda a, b: torch.cat([a, b], 1), [[2, 3], [2, 2]], ["$0", "$1"], 1)
    record("stack", lambda a, b: torch.stack([a, b], 1), [[2, 3], [2, 3]], ["$0", "$1"], 1)
    record("pad", lambda x: F.pad(x, (1, 2, 2, 1), value=0.5), [[2, 3, 4]], "$0", [[2, 1], [1, 2]], 0.5)
    for mode in ("reflect", "replicate", "circular"):
        record("pad", lambda x: F.pad(x, (1, 2, 2, 1), mode=mode), [[1, 2, 3, 4]], "$0", [[2, 1], [1, 2]], mode)
    record("take", lambda x, at: x[:, at], [[3, 5, 2], integers(2, 4)], "$0", "$1", 1)
    at = integers(3, 6, below=4)
    record("takeAlongAxis", lambda x, at: x.gather(1, at), [[3, 4], at], "$0", "$1", 1)
    record("oneHot", lambda x: F.one_hot(x, 5), [integers(3, 2)], "$0", 5)
    record("bedOfNails", lambda x: F.conv_transpose2d(x, torch.ones(1, 1, 1, 1), stride=2, output_padding=1), [[2, 1, 3, 4]], "$0", 2)

    # Products, and windows as columns.
    record("matmul", torch.matmul, [[2, 1, 3, 4], [3, 4, 2]], "$0", "$1")
    record("matmul", torch.matmul, [[3, 4], [5, 4, 2]], "$0", "$1")
    record("linear", F.linear, [[2, 3, 4], [5, 4], [5]], "$0", "$1", "$2")
    record("softmax", lambda x: x.softmax(1), [[3, 4, 2]], "$0", 1)
    record("logSoftmax", lambda x: x.log_softmax(0), [[3, 4, 2]], "$0", 0)
    record("unfold", lambda x: F.unfold(x, [3, 2], 2, 1, [1, 2]), [[2, 3, 7, 6]], "$0", [3, 2], dict(dilation=2, padding=1, stride=[1, 2]))
    for axes in (1, 2, 3):
        convolve = [F.conv1d, F.conv2d, F.conv3d][axes - 1]
        flipped = lambda x, w: convolve(x, w.flip(*range(2, axes + 2)), None, 2, 1)
        record("trueConvolution", flipped, [[2, 3, 6, 5, 6][: axes + 2], [4, 3, 3, 2, 3][: axes + 2]], "$0", "$1", None, dict(stride=2, padding=1))
    for size, kernel in ((7, 3), (8, 4), (9, 2)):
        record("conv2d", lambda x, w: F.conv2d(x, w, None, 1, "same"), [[1, 2, size, size], [3, 2, kernel, kernel]], "$0", "$1", None, dict(padding="same"))
        full = lambda x, w: F.conv2d(x, w, None, 1, kernel - 1)
        record("conv2d", full, [[1, 2, size, size], [3, 2, kernel, kernel]], "$0", "$1", None, dict(padding="full"))

    # Making tensors.
    record("arange", lambda: torch.arange(2, 11, 3), [], 2, 11, 3)
    record("arange", lambda: torch.arange(5, -3, -2), [], 5, -3, -2)
    record("linspace", lambda: torch.linspace(-1, 2, 7), [], -1, 2, 7)
    record("eye", lambda: torch.eye(3, 4), [], 3, 4)
    save("kit", tensors, cases)


everything = [
    convolutions,
    pools,
    losses,
    optimizers,
    network,
    activations,
    loss_options,
    normalizations,
    all_convolutions,
    resizing,
    arranging,
    vision,
    pictures,
    unpooling,
    kit,
]
for seed, make in enumerate(everything):
    if sys.argv[1:] and make.__name__ not in sys.argv[1:]:
        continue
    torch.manual_seed(seed)
    make()

"""PyTorch's side of bench/ops.ts: forward and gradient of one op on request.

Reads lines of `name threads repetitions`, answers with the milliseconds that one repetition took on average.
"""

import sys
import time

import torch
import torch.nn.functional as F

PICTURES, SOUNDS, FILMS, FEATURES = (16, 32, 56, 56), (32, 64, 1024), (4, 16, 16, 28, 28), (4096, 512)
weights = lambda *shape: torch.randn(shape) * 0.1
labels = torch.arange(4096) % 512

# name: (shapes of the inputs, function of them)
OPS = {
    "conv1d": ([SOUNDS, (64, 64, 9)], lambda x, w: F.conv1d(x, w, padding=4)),
    "conv2d": ([PICTURES, (32, 32, 3, 3)], lambda x, w: F.conv2d(x, w, padding=1)),
    "conv2d depthwise": ([PICTURES, (32, 1, 3, 3)], lambda x, w: F.conv2d(x, w, padding=1, groups=32)),
    "conv2d stride 2": ([PICTURES, (64, 32, 3, 3)], lambda x, w: F.conv2d(x, w, padding=1, stride=2)),
    "conv2d dilated": ([PICTURES, (32, 32, 3, 3)], lambda x, w: F.conv2d(x, w, padding=2, dilation=2)),
    "conv2d reflect": ([PICTURES, (32, 32, 3, 3)], lambda x, w: F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), w)),
    "conv3d": ([FILMS, (16, 16, 3, 3, 3)], lambda x, w: F.conv3d(x, w, padding=1)),
    "convTranspose2d": ([PICTURES, (32, 16, 4, 4)], lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1)),
    "convTranspose3d": ([FILMS, (16, 8, 2, 2, 2)], lambda x, w: F.conv_transpose3d(x, w, stride=2)),
    "maxPool2d": ([PICTURES], lambda x: F.max_pool2d(x, 3, 2, 1)),
    "maxPool3d": ([FILMS], lambda x: F.max_pool3d(x, 2)),
    "avgPool2d": ([PICTURES], lambda x: F.avg_pool2d(x, 2)),
    "lpPool2d": ([PICTURES], lambda x: F.lp_pool2d(x, 2, 2)),
    "adaptiveAvgPool2d": ([PICTURES], lambda x: F.adaptive_avg_pool2d(x, 5)),
    "adaptiveMaxPool2d": ([PICTURES], lambda x: F.adaptive_max_pool2d(x, 5)),
    "upsample nearest": ([PICTURES], lambda x: F.interpolate(x, scale_factor=2, mode="nearest")),
    "upsample linear": ([PICTURES], lambda x: F.interpolate(x, scale_factor=2, mode="bilinear")),
    "pixelShuffle": ([PICTURES], lambda x: F.pixel_shuffle(x, 2)),
    "batchNorm": ([PICTURES, (32,), (32,)], lambda x, w, b: F.batch_norm(x, None, None, w, b, True)),
    "layerNorm": ([FEATURES, (512,), (512,)], lambda x, w, b: F.layer_norm(x, (512,), w, b)),
    "groupNorm": ([PICTURES, (32,), (32,)], lambda x, w, b: F.group_norm(x, 8, w, b)),
    "instanceNorm": ([PICTURES], lambda x: F.instance_norm(x)),
    "localResponseNorm": ([PICTURES], lambda x: F.local_response_norm(x, 5)),
    "relu": ([PICTURES], F.relu),
    "gelu": ([PICTURES], F.gelu),
    "silu": ([PICTURES], F.silu),
    "elu": ([PICTURES], F.elu),
    "softplus": ([PICTURES], F.softplus),
    "prelu": ([PICTURES, (32,)], F.prelu),
    "softmax": ([FEATURES], lambda x: F.softmax(x, 1)),
    "crossEntropy": ([FEATURES], lambda x: F.cross_entropy(x, labels, label_smoothing=0.1)),
    "huberLoss": ([FEATURES, FEATURES], F.huber_loss),
    "linear": ([FEATURES, (256, 512)], F.linear),
    "matmul batched": ([(32, 128, 64), (32, 64, 128)], torch.matmul),
    "cumsum": ([FEATURES], lambda x: x.cumsum(1)),
    "topk": ([FEATURES], lambda x: x.topk(5).values),
    "unfold": ([PICTURES], lambda x: F.unfold(x, 3)),
}
prepared = {}

print(torch.__version__, flush=True)
for line in sys.stdin:
    *words, threads, repetitions = line.split()
    name = " ".join(words)
    torch.set_num_threads(int(threads))
    if name not in prepared:
        shapes, function = OPS[name]
        inputs = [torch.randn(shape).requires_grad_() for shape in shapes]
        prepared[name] = function, inputs, torch.randn_like(function(*inputs))
    function, inputs, upstream = prepared[name]
    begun = time.perf_counter()
    for _ in range(int(repetitions)):
        torch.autograd.grad(function(*inputs), inputs, upstream)
    print(1000 * (time.perf_counter() - begun) / int(repetitions), flush=True)

"""PyTorch's side of bench/ops.ts: forward and gradient of one op on request.

Reads lines of `name clock threads repetitions`, answers with the milliseconds that one repetition took on average; the
clock is "wall", or "cpu" for the processor's time.
"""

import sys
import time

import torch
import torch.nn.functional as F

PICTURES, SOUNDS, FILMS, FEATURES = (16, 32, 56, 56), (32, 64, 1024), (4, 16, 16, 28, 28), (4096, 512)
KERNELS = (32, 32, 3, 3)
CHANNELS = [PICTURES, (32,), (32,)]


def classes(count, *shape):
    return torch.arange(torch.Size(shape).numel()).remainder(count).reshape(shape)


def probabilities(*shape):
    return ((torch.arange(torch.Size(shape).numel()) % 7 + 1) / 8).reshape(shape)


OF_FEATURES, OF_PLACES, OF_ROWS = classes(512, 4096), classes(32, 16, 56, 56), classes(4096, 4096)
GATHERED, SHARES = classes(512, 4096, 64), probabilities(*FEATURES)
WEIGHTS, AREAS = probabilities(32), probabilities(*PICTURES)


def circular(x, w):
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="circular"), w)


def locally_connected(x, w):
    """PyTorch has no such op: as a product for each place, of windows laid out by unfold."""
    columns = F.unfold(x, 3).permute(2, 1, 0)
    return torch.bmm(w, columns).permute(2, 1, 0).reshape(len(x), w.shape[1], 26, 26)


def windows(x):
    n, c, h, w = x.shape
    return F.unfold(x, 2, stride=2).reshape(n, c, 4, h // 2, w // 2).relu()


def stochastic(x):
    pieces = windows(x)
    shares = pieces.detach().movedim(2, -1).reshape(-1, 4)
    picked = torch.multinomial(torch.where(shares.sum(1, keepdim=True) > 0, shares, torch.ones(1)), 1)
    n, c, _, h, w = pieces.shape
    return pieces.gather(2, picked.reshape(n, c, h, w, 1).movedim(-1, 2)).squeeze(2)


def stochastic_mean(x):
    pieces = windows(x)
    total = pieces.sum(2)
    return torch.where(total > 0, (pieces * pieces).sum(2) / torch.where(total > 0, total, torch.ones(1)), torch.zeros(1))


def unpooled(x):
    values, indices = F.max_pool2d(x, 2, return_indices=True)
    return F.max_unpool2d(values, indices, 2)


def nails(x):
    n, c, h, w = x.shape
    result = x.new_zeros(n, c, 2 * h, 2 * w)
    result[:, :, ::2, ::2] = x
    return result


def response_within(x):
    return x / (1 + 1e-4 * F.avg_pool2d(x * x, 5, stride=1, padding=2)) ** 0.75


def dice(x):
    p = x.sigmoid()
    overlap, size = 2 * (p * AREAS).sum((2, 3)) + 1, p.sum((2, 3)) + AREAS.sum((2, 3)) + 1
    return (1 - overlap / size).mean()


def batch_norm(x, w, b):
    return F.batch_norm(x, torch.zeros_like(w), torch.ones_like(w), w, b, True)


# name: (shapes of the inputs, function of them)
OPS = {
    "conv1d": ([SOUNDS, (64, 64, 9)], lambda x, w: F.conv1d(x, w, padding=4)),
    "conv2d": ([PICTURES, KERNELS], lambda x, w: F.conv2d(x, w, padding=1)),
    "conv2d 1×1": ([PICTURES, (64, 32, 1, 1)], F.conv2d),
    "conv2d depthwise": ([PICTURES, (32, 1, 3, 3)], lambda x, w: F.conv2d(x, w, padding=1, groups=32)),
    "conv2d groups": ([PICTURES, (32, 8, 3, 3)], lambda x, w: F.conv2d(x, w, padding=1, groups=4)),
    "conv2d stride 2": ([PICTURES, (64, 32, 3, 3)], lambda x, w: F.conv2d(x, w, padding=1, stride=2)),
    "conv2d dilated": ([PICTURES, KERNELS], lambda x, w: F.conv2d(x, w, padding=2, dilation=2)),
    "conv2d same": ([PICTURES, (32, 32, 4, 4)], lambda x, w: F.conv2d(x, w, padding="same")),
    "conv2d reflect": ([PICTURES, KERNELS], lambda x, w: F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), w)),
    "conv2d circular": ([PICTURES, KERNELS], circular),
    "trueConvolution": ([PICTURES, KERNELS], lambda x, w: F.conv2d(x, w.flip(2, 3), padding=1)),
    "conv3d": ([FILMS, (16, 16, 3, 3, 3)], lambda x, w: F.conv3d(x, w, padding=1)),
    "conv3d stride 2": ([FILMS, (16, 16, 3, 3, 3)], lambda x, w: F.conv3d(x, w, padding=1, stride=2)),
    "convTranspose1d": ([SOUNDS, (64, 32, 4)], lambda x, w: F.conv_transpose1d(x, w, stride=2, padding=1)),
    "convTranspose2d": ([PICTURES, (32, 16, 4, 4)], lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1)),
    "convTranspose2d dilated": (
        [PICTURES, (32, 16, 3, 3)],
        lambda x, w: F.conv_transpose2d(x, w, stride=2, dilation=2, output_padding=1),
    ),
    "convTranspose3d": ([FILMS, (16, 8, 2, 2, 2)], lambda x, w: F.conv_transpose3d(x, w, stride=2)),
    "locallyConnected2d": ([(16, 16, 28, 28), (26 * 26, 16, 16 * 9)], locally_connected),
    "maxPool1d": ([SOUNDS], lambda x: F.max_pool1d(x, 2)),
    "maxPool3d": ([FILMS], lambda x: F.max_pool3d(x, 2)),
    "maxUnpool3d": ([FILMS], lambda x: F.max_unpool3d(*F.max_pool3d(x, 2, return_indices=True), 2)),
    "minPool3d": ([FILMS], lambda x: -F.max_pool3d(-x, 2)),
    "lpPool3d": ([FILMS], lambda x: (F.avg_pool3d(x * x, 2) * 8).sqrt()),
    "avgPool1d": ([SOUNDS], lambda x: F.avg_pool1d(x, 2)),
    "avgPool3d": ([FILMS], lambda x: F.avg_pool3d(x, 2)),
    "lpPool1d": ([SOUNDS], lambda x: F.lp_pool1d(x, 2, 2)),
    "adaptiveAvgPool1d": ([SOUNDS], lambda x: F.adaptive_avg_pool1d(x, 100)),
    "adaptiveAvgPool3d": ([FILMS], lambda x: F.adaptive_avg_pool3d(x, 5)),
    "adaptiveMaxPool3d": ([FILMS], lambda x: F.adaptive_max_pool3d(x, 5)),
    "upsample linear 1-D": ([SOUNDS], lambda x: F.interpolate(x, scale_factor=2, mode="linear")),
    "upsample linear 3-D": ([FILMS], lambda x: F.interpolate(x, scale_factor=2, mode="trilinear")),
    "batchNorm1d": ([FEATURES, (512,), (512,)], batch_norm),
    "batchNorm2d": (CHANNELS, batch_norm),
    "layerNorm": ([FEATURES, (512,), (512,)], lambda x, w, b: F.layer_norm(x, (512,), w, b)),
    "groupNorm": (CHANNELS, lambda x, w, b: F.group_norm(x, 8, w, b)),
    "instanceNorm affine": (CHANNELS, lambda x, w, b: F.instance_norm(x, None, None, w, b)),
    "prelu": ([PICTURES, (32,)], F.prelu),
    "maxPool2d": ([PICTURES], lambda x: F.max_pool2d(x, 3, 2, 1)),
    "maxPool2d dilated": ([PICTURES], lambda x: F.max_pool2d(x, 3, dilation=2)),
    "minPool2d": ([PICTURES], lambda x: -F.max_pool2d(-x, 2)),
    "maxUnpool2d": ([PICTURES], unpooled),
    "avgPool2d": ([PICTURES], lambda x: F.avg_pool2d(x, 2)),
    "avgPool2d overlapping": ([PICTURES], lambda x: F.avg_pool2d(x, 3, 1, 1)),
    "lpPool2d": ([PICTURES], lambda x: F.lp_pool2d(x, 2, 2)),
    "lpPool2d p 3": ([PICTURES], lambda x: F.lp_pool2d(x, 3, 2)),
    "stochasticPool2d": ([PICTURES], stochastic),
    "stochasticPool2d mean": ([PICTURES], stochastic_mean),
    "globalAvgPool": ([PICTURES], lambda x: x.mean((2, 3))),
    "globalMaxPool": ([PICTURES], lambda x: x.amax((2, 3))),
    "adaptiveAvgPool2d": ([PICTURES], lambda x: F.adaptive_avg_pool2d(x, 5)),
    "adaptiveAvgPool2d 13": ([PICTURES], lambda x: F.adaptive_avg_pool2d(x, 13)),
    "adaptiveMaxPool2d": ([PICTURES], lambda x: F.adaptive_max_pool2d(x, 5)),
    "adaptiveMaxPool2d 13": ([PICTURES], lambda x: F.adaptive_max_pool2d(x, 13)),
    "crossChannelAvgPool": ([PICTURES], lambda x: x.reshape(16, 16, 2, 56, 56).mean(2)),
    "maxout": ([PICTURES], lambda x: x.reshape(16, 16, 2, 56, 56).amax(2)),
    "upsample nearest": ([PICTURES], lambda x: F.interpolate(x, scale_factor=2, mode="nearest")),
    "upsample nearest 1.5": ([PICTURES], lambda x: F.interpolate(x, scale_factor=1.5, mode="nearest")),
    "upsample linear": ([PICTURES], lambda x: F.interpolate(x, scale_factor=2, mode="bilinear")),
    "upsample corners": ([PICTURES], lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)),
    "bedOfNails": ([PICTURES], nails),
    "pixelShuffle": ([PICTURES], lambda x: F.pixel_shuffle(x, 2)),
    "pixelUnshuffle": ([PICTURES], lambda x: F.pixel_unshuffle(x, 2)),
    "instanceNorm": ([PICTURES], F.instance_norm),
    "localResponseNorm": ([PICTURES], lambda x: F.local_response_norm(x, 5)),
    "localResponseNorm in": ([PICTURES], response_within),
    "relu": ([PICTURES], F.relu),
    "leakyRelu": ([PICTURES], F.leaky_relu),
    "elu": ([PICTURES], F.elu),
    "selu": ([PICTURES], F.selu),
    "gelu": ([PICTURES], F.gelu),
    "gelu tanh": ([PICTURES], lambda x: F.gelu(x, approximate="tanh")),
    "silu": ([PICTURES], F.silu),
    "mish": ([PICTURES], F.mish),
    "softplus": ([PICTURES], F.softplus),
    "sigmoid": ([PICTURES], torch.sigmoid),
    "logSigmoid": ([PICTURES], F.logsigmoid),
    "tanh": ([PICTURES], torch.tanh),
    "softsign": ([PICTURES], F.softsign),
    "hardtanh": ([PICTURES], F.hardtanh),
    "relu6": ([PICTURES], F.relu6),
    "hardsigmoid": ([PICTURES], F.hardsigmoid),
    "hardswish": ([PICTURES], F.hardswish),
    "hardshrink": ([PICTURES], F.hardshrink),
    "softshrink": ([PICTURES], F.softshrink),
    "dropout": ([PICTURES], F.dropout),
    "featureDropout": ([PICTURES], F.dropout2d),
    "softmax channels": ([PICTURES], lambda x: F.softmax(x, 1)),
    "crossEntropy places": ([PICTURES], lambda x: F.cross_entropy(x, OF_PLACES, WEIGHTS, ignore_index=0)),
    "diceLoss": ([PICTURES], dice),
    "unfold": ([PICTURES], lambda x: F.unfold(x, 3)),
    "pad": ([PICTURES], lambda x: F.pad(x, (2, 2, 2, 2))),
    "pad reflect": ([PICTURES], lambda x: F.pad(x, (2, 2, 2, 2), mode="reflect")),
    "pad replicate": ([PICTURES], lambda x: F.pad(x, (2, 2, 2, 2), mode="replicate")),
    "pad circular": ([PICTURES], lambda x: F.pad(x, (2, 2, 2, 2), mode="circular")),
    "flip": ([PICTURES], lambda x: x.flip(2, 3)),
    "roll": ([PICTURES], lambda x: x.roll(5, -1)),
    "rot90": ([PICTURES], lambda x: x.rot90(1, (-2, -1))),
    "permute": ([PICTURES], lambda x: x.permute(0, 2, 3, 1).contiguous()),
    "repeat": ([PICTURES], lambda x: x.repeat(1, 2, 1, 1)),
    "mean of places": ([PICTURES], lambda x: x.mean((2, 3))),
    "max of channels": ([PICTURES], lambda x: x.amax(1)),
    "softmax": ([FEATURES], lambda x: F.softmax(x, 1)),
    "logSoftmax": ([FEATURES], lambda x: F.log_softmax(x, 1)),
    "crossEntropy": ([FEATURES], lambda x: F.cross_entropy(x, OF_FEATURES, label_smoothing=0.1)),
    "nllLoss": ([FEATURES], lambda x: F.nll_loss(x, OF_FEATURES)),
    "multiMarginLoss": ([FEATURES], lambda x: F.multi_margin_loss(x, OF_FEATURES)),
    "klDivLoss": ([FEATURES], lambda x: F.kl_div(x, SHARES, reduction="batchmean")),
    "binaryCrossEntropy": ([FEATURES], lambda x: F.binary_cross_entropy(x.sigmoid(), SHARES)),
    "binaryCrossEntropy of logits": ([FEATURES], lambda x: F.binary_cross_entropy_with_logits(x, SHARES)),
    "sum of rows": ([FEATURES], lambda x: x.sum(1)),
    "sum of columns": ([FEATURES], lambda x: x.sum(0)),
    "variance": ([FEATURES], lambda x: x.var(1)),
    "std": ([FEATURES], lambda x: x.std(0)),
    "max": ([FEATURES], lambda x: x.amax(1)),
    "cumsum": ([FEATURES], lambda x: x.cumsum(1)),
    "cumsum down": ([FEATURES], lambda x: x.cumsum(0)),
    "topk": ([FEATURES], lambda x: x.topk(5).values),
    "topk 50": ([FEATURES], lambda x: x.topk(50).values),
    "sort": ([FEATURES], lambda x: x.sort(1).values),
    "quantile": ([FEATURES], lambda x: x.quantile(0.3, 1)),
    "norm": ([FEATURES], lambda x: x.norm(2, 1)),
    "prod": ([FEATURES], lambda x: x.prod(1)),
    "logSumExp": ([FEATURES], lambda x: x.logsumexp(1)),
    "take": ([FEATURES], lambda x: x.index_select(0, OF_ROWS)),
    "takeAlongAxis": ([FEATURES], lambda x: x.gather(1, GATHERED)),
    "split": ([FEATURES], lambda x: x.split(256, 1)[1].contiguous()),
    "mseLoss": ([FEATURES, FEATURES], F.mse_loss),
    "l1Loss": ([FEATURES, FEATURES], F.l1_loss),
    "huberLoss": ([FEATURES, FEATURES], F.huber_loss),
    "smoothL1Loss": ([FEATURES, FEATURES], F.smooth_l1_loss),
    "linear": ([FEATURES, (256, 512)], F.linear),
    "matmul batched": ([(32, 128, 64), (32, 64, 128)], torch.matmul),
    "concat": ([FEATURES, FEATURES], lambda x, y: torch.cat([x, y], 1)),
    "stack": ([FEATURES, FEATURES], lambda x, y: torch.stack([x, y], 1)),
    "where": ([FEATURES, FEATURES], lambda x, y: torch.where(x > y, x, y)),
}
prepared = {}

print(torch.__version__, flush=True)
for line in sys.stdin:
    *words, clock, threads, repetitions = line.split()
    name = " ".join(words)
    now = time.process_time if clock == "cpu" else time.perf_counter
    torch.set_num_threads(int(threads))
    if name not in prepared:
        shapes, function = OPS[name]
        inputs = [torch.randn(shape).requires_grad_() for shape in shapes]
        prepared[name] = function, inputs, torch.randn_like(function(*inputs))
    function, inputs, upstream = prepared[name]
    begun = now()
    for _ in range(int(repetitions)):
        # The gradient of a sum is one number seen many times: contiguous() writes it out, and costs others nothing.
        for gradient in torch.autograd.grad(function(*inputs), inputs, upstream):
            gradient.contiguous()
    print(1000 * (now() - begun) / int(repetitions), flush=True)

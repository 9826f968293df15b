"""Writes augmentation.safetensors: pictures changed by torchvision, SciPy and Pillow with given parameters.

Run with Debian's python3-torchvision and python3-scipy:  /usr/bin/python3 test/goldens/augmentation.py

torchvision is given float64 pictures, so that what it computes is exact before it is rounded.
"""

import json
import math
import pathlib
import struct

import numpy as np
import scipy.ndimage
import torch
import torchvision
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F
from torchvision.transforms import functional_tensor

HERE = pathlib.Path(__file__).parent
random = np.random.default_rng(20)
cases, tensors = [], {}


def picture(channels, height, width):
    """Smooth shapes with some pixels of full contrast, and all 256 values in large ones."""
    smooth = scipy.ndimage.zoom(random.random((channels, 4, 5)), (1, height / 4, width / 5), order=1)
    pixels = np.clip(smooth * 255, 0, 255)
    pixels[:, random.random((height, width)) < 0.1] = 255
    pixels[:, random.random((height, width)) < 0.1] = 0
    return np.floor(pixels).astype(np.uint8)


def rounded(values):
    return np.floor(np.clip(np.asarray(values), 0, 255) + 0.5).astype(np.uint8)


def add(name, image, result, parameters, options=None, mask=None, moved=None, **fields):
    key = len(cases)
    cases.append(dict(name=name, options=options or {}, parameters=parameters))
    arrays = dict(image=image, result=np.asarray(result), mask=mask, moved=moved, **fields)
    tensors.update({f"{key}.{field}": array for field, array in arrays.items() if array is not None})


def exact(image):
    return torch.from_numpy(image.astype(np.float64))


def unit(image):
    return exact(image) / 255


# Mirrored.
for shape in ((3, 5, 6), (1, 4, 3)):
    image, mask = picture(*shape), picture(1, *shape[1:])[0]
    for name, flip in (("flip", F.hflip), ("flip-vertical", F.vflip)):
        results = (flip(torch.from_numpy(each)).numpy() for each in (image, mask))
        result, moved = results
        add(name, image, result, {}, mask=mask, moved=moved)

# Turned, moved, scaled, slanted: image by bilinear reading, mask by nearest neighbour.
image, mask = picture(3, 13, 18), picture(1, 13, 18)[0]
moves = [
    dict(angle=23.7, translate=[0, 0], scale=1, shear=[0, 0]),
    dict(angle=180, translate=[0, 0], scale=1, shear=[0, 0]),
    dict(angle=0, translate=[3, -2], scale=1, shear=[0, 0]),
    dict(angle=0, translate=[0, 0], scale=1.37, shear=[0, 0]),
    dict(angle=0, translate=[0, 0], scale=0.61, shear=[0, 0]),
    dict(angle=0, translate=[0, 0], scale=1, shear=[14.2, 0]),
    dict(angle=0, translate=[0, 0], scale=1, shear=[0, -21.5]),
    dict(angle=131.1, translate=[-4, 2], scale=0.83, shear=[11.3, 7.9]),
]
for move in moves:
    bilinear = F.affine(exact(image), **move, interpolation=InterpolationMode.BILINEAR)
    moved = F.affine(exact(mask)[None], **move, interpolation=InterpolationMode.NEAREST)[0]
    add("affine", image, rounded(bilinear), move, dict(degrees=1), mask, rounded(moved))
    nearest = F.affine(exact(image), **move, interpolation=InterpolationMode.NEAREST, fill=[10, 20, 30])
    add("affine", image, rounded(nearest), move, dict(degrees=1, sampling="nearest", fill=[10, 20, 30]))

# Seen from aside; the eight coefficients are solved for in float64, which torchvision itself does in float32.
for corners in ([[2, 1], [15.5, 2.5], [17, 9.25], [0.5, 12]], [[0, 0], [12, 4], [14, 11], [3, 8]]):
    own = [[0, 0], [17, 0], [17, 12], [0, 12]]
    # torchvision's coefficients are about the middles of pixels at .5, and so are its corners.
    shifted = []
    for (x, y), (u, v) in zip(corners, own):
        x, y, u, v = x + 0.5, y + 0.5, u + 0.5, v + 0.5
        shifted += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    coefficients = np.linalg.solve(np.array(shifted, float), np.array(own, float).flatten() + 0.5).tolist()
    bilinear = functional_tensor.perspective(exact(image), coefficients, "bilinear")
    moved = functional_tensor.perspective(exact(mask)[None], coefficients, "nearest")[0]
    add("perspective", image, rounded(bilinear), dict(corners=corners), None, mask, rounded(moved))

# Windows of padded pictures.
for mode, torch_mode in (("constant", "constant"), ("edge", "edge"), ("reflect", "reflect")):
    small = picture(3, 7, 9)
    padded = F.pad(torch.from_numpy(small), [4], 77 if mode == "constant" else 0, torch_mode)
    for top, left in ((-4, -4), (4, 4), (-1, 3)):
        result = F.crop(padded, top + 4, left + 4, 7, 9)
        add("crop", small, result.numpy(), dict(top=top, left=left), dict(padding=4, paddingMode=mode, fill=77))
padded = F.pad(torch.from_numpy(image), [2], 9)
add("translate", image, F.crop(padded, 2 - 1, 2 + 2, 13, 18).numpy(), dict(x=-2, y=1), dict(pixels=2, fill=9))

# Windows resized as Pillow does it.
for top, left, height, width, size in ((1, 2, 9, 12, [8, 8]), (0, 0, 5, 7, [13, 18]), (3, 4, 10, 6, [20, 6])):
    pillow = Image.fromarray(np.moveaxis(image, 0, 2).copy())
    result = np.moveaxis(np.array(F.resized_crop(pillow, top, left, height, width, size)), 2, 0)
    layer = Image.fromarray(mask)
    moved = F.resized_crop(layer, top, left, height, width, size, InterpolationMode.NEAREST)
    window = dict(top=top, left=left, height=height, width=width)
    add("resized-crop", image, result, window, dict(size=size), mask, np.array(moved))

# Colours.
photo, grey = picture(3, 16, 16), picture(1, 16, 16)
changes = dict(
    brightness=F.adjust_brightness, contrast=F.adjust_contrast, saturation=F.adjust_saturation, hue=F.adjust_hue
)
for order, amounts in (
    (["brightness"], dict(brightness=1.4)),
    (["contrast"], dict(contrast=0.35)),
    (["contrast"], dict(contrast=1.7)),
    (["saturation"], dict(saturation=0.2)),
    (["saturation"], dict(saturation=1.9)),
    (["hue"], dict(hue=0.2137)),
    (["hue"], dict(hue=-0.4319)),
    (["hue", "contrast", "brightness", "saturation"], dict(hue=0.1, contrast=1.3, brightness=0.8, saturation=1.4)),
):
    for colors in (photo, grey):
        values = unit(colors)
        for change in order:
            values = changes[change](values, amounts[change])
        add("jitter", colors, rounded(values * 255), dict(dict(brightness=1, contrast=1, saturation=1, hue=0), order=order, **amounts))
add("grayscale", photo, rounded(F.rgb_to_grayscale(exact(photo), 3)), {})
for bits in (1, 4, 7):
    add("posterize", photo, F.posterize(torch.from_numpy(photo), bits).numpy(), {}, dict(bits=bits))
for threshold in (0, 90, 255):
    add("solarize", photo, F.solarize(torch.from_numpy(photo), threshold).numpy(), {}, dict(threshold=threshold))
flat = photo // 3 + 40
add("autocontrast", flat, rounded(F.autocontrast(unit(flat)) * 255), {})
even = np.full_like(photo, 7)
add("autocontrast", even, F.autocontrast(torch.from_numpy(even)).numpy(), {})
large = picture(3, 40, 50) // 2
add("equalize", large, F.equalize(torch.from_numpy(large)).numpy(), {})
add("equalize", even, F.equalize(torch.from_numpy(even)).numpy(), {})
for factor in (0, 0.4, 2.37):
    sharp = F.adjust_sharpness(unit(photo), factor) * 255
    add("sharpness", photo, rounded(sharp), {}, dict(factor=factor))
amounts = [0.13, -0.21, 0.08]
lengths = np.array([0.2175, 0.0188, 0.0045])
directions = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
shift = 255 * directions @ (lengths * amounts)
add("pca-color", photo, rounded(photo + shift[:, None, None]), dict(amounts=amounts))

# Smoothed and stretched.
for sigma in (0.3, 1.1, 3.7):
    blurred = [scipy.ndimage.gaussian_filter(each.astype(float), sigma, mode="mirror", truncate=4) for each in image]
    add("blur", image, rounded(blurred), dict(sigma=sigma))
fields = scipy.ndimage.gaussian_filter(random.uniform(-1, 1, (2, 13, 18)), (0, 2, 2)).astype(np.float32) * np.float32(15)
rows, columns = np.mgrid[:13, :18].astype(float)
places = [rows + fields[1].astype(float), columns + fields[0].astype(float)]
stretched = [scipy.ndimage.map_coordinates(each.astype(float), places, order=1, mode="grid-constant", cval=99) for each in image]
moved = scipy.ndimage.map_coordinates(mask.astype(float), places, order=0, mode="grid-constant", cval=5)
add("elastic", image, rounded(stretched), {}, dict(fill=99, maskFill=5), mask, rounded(moved), x=fields[0].flatten(), y=fields[1].flatten())

# Hidden, and with noise.
hidden = F.erase(torch.from_numpy(image), 2, 5, 6, 7, torch.tensor([1, 2, 3], dtype=torch.uint8)[:, None, None])
add("erase", image, hidden.numpy(), dict(top=2, left=5, height=6, width=7, noiseSeed=0), dict(fill=[1, 2, 3]))
cut = image.copy()
cut[:, 9:, :3] = 0
add("cutout", image, cut, dict(top=9, left=-5, height=8, width=8, noiseSeed=0), dict(size=8))
noise = random.normal(0, 30, image.shape).astype(np.float32)
add("noise", image, rounded(image + noise.astype(float)), {}, noise=noise)
noise = random.laplace(0, 30, image.shape).astype(np.float32)
add("laplacian-noise", image, rounded(image + noise.astype(float)), {}, noise=noise)

# RandAugment: each change alone, from what torchvision's own table of them does with the amount.
still = dict(angle=0.0, translate=[0, 0], scale=1.0, shear=[0.0, 0.0])
lean = lambda amount: math.degrees(math.atan(amount))
bilinear = lambda **move: rounded(F.affine(exact(photo), **{**still, **move}, interpolation=InterpolationMode.BILINEAR))
for kind, amount, result in (
    ("identity", 0, photo),
    ("shearX", 0.09, bilinear(shear=[lean(0.09), 0.0])),
    ("shearY", -0.09, bilinear(shear=[0.0, lean(-0.09)])),
    ("translateX", 2, bilinear(translate=[2, 0])),
    ("translateY", -2, bilinear(translate=[0, -2])),
    ("rotate", 9, bilinear(angle=9.0)),
    ("brightness", 0.27, rounded(F.adjust_brightness(unit(photo), 1.27) * 255)),
    ("color", -0.27, rounded(F.adjust_saturation(unit(photo), 0.73) * 255)),
    ("contrast", 0.27, rounded(F.adjust_contrast(unit(photo), 1.27) * 255)),
    ("sharpness", -0.27, rounded(F.adjust_sharpness(unit(photo), 0.73) * 255)),
    ("posterize", 7, F.posterize(torch.from_numpy(photo), 7).numpy()),
    ("solarize", 178.5, F.solarize(torch.from_numpy(photo), 178.5).numpy()),
    ("autocontrast", 0, rounded(F.autocontrast(unit(photo)) * 255)),
    ("equalize", 0, F.equalize(torch.from_numpy(photo)).numpy()),
):
    add("randaugment", photo, result, dict(changes=[dict(kind=kind, amount=amount)]))

# Mixed: batches of three. mixup's share, and cutmix's window of the next picture.
batch = np.stack([picture(3, 6, 7) for _ in range(3)])
following = np.roll(batch, -1, 0)
add("mixup", batch, rounded(0.71828 * batch + 0.28172 * following), dict(share=0.71828))
pasted = batch.copy()
pasted[:, :, 1:4, 2:7] = following[:, :, 1:4, 2:7]
add("cutmix", batch, pasted, dict(top=1, left=2, height=3, width=5))

header = {"__metadata__": {"cases": json.dumps(cases), "torchvision": torchvision.__version__}}
body = b""
names = {np.dtype(np.uint8): "U8", np.dtype(np.float32): "F32"}
for key, array in tensors.items():
    data = np.ascontiguousarray(array).tobytes()
    header[key] = {"dtype": names[array.dtype], "shape": list(array.shape), "data_offsets": [len(body), len(body) + len(data)]}
    body += data
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
(HERE / "augmentation.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)

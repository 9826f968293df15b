"""Writes src/node/torchvision-weights.ts: which weights torchvision publishes for the networks that Fovea has, where, with
which checksum, how good they are and how pictures are to be resized for them: all as torchvision's own source says.

    python3 scripts/torchvision-weights.py

Needs torchvision 0.14 or newer (Debian: python3-torchvision).
"""

import json
import math
import re
from pathlib import Path

import torchvision
from torchvision.models import get_model_weights

NETWORKS = (
    "alexnet",
    *(f"vgg{depth}{suffix}" for depth in (11, 13, 16, 19) for suffix in ("", "_bn")),
    "googlenet",
    "inception_v3",
    *(f"resnet{depth}" for depth in (18, 34, 50, 101, 152)),
    "squeezenet1_0",
    "squeezenet1_1",
    "mobilenet_v2",
)
PLACE = "https://download.pytorch.org/models/"

entries = []
for network in NETWORKS:
    weights = get_model_weights(network)
    for each in weights:
        accuracy = each.meta["_metrics"]["ImageNet-1K"]
        if math.isnan(accuracy["acc@1"]):
            continue  # Weights without a classifier.
        assert each.url.startswith(PLACE), each.url
        file = each.url[len(PLACE) :]
        # The file's name ends with the first digits of its SHA-256 checksum.
        (checksum,) = re.fullmatch(r"[\w.-]+-([0-9a-f]{8})\.pth", file).groups()
        transforms = each.transforms()
        (resize,), (crop,) = transforms.resize_size, transforms.crop_size
        entries.append(
            dict(
                model=network,
                weights=each.name,
                isDefault=each == weights.DEFAULT,
                file=file,
                sha256=checksum,
                top1=accuracy["acc@1"],
                top5=accuracy["acc@5"],
                resizing=dict(resize=resize, crop=crop, interpolation=transforms.interpolation.value),
            )
        )

lines = ",\n".join(f"  {json.dumps(entry)}" for entry in entries)
target = Path(__file__).resolve().parent.parent / "src/node/torchvision-weights.ts"
target.write_text(
    f"""/**
 * The weights that torchvision publishes for networks that Fovea has.
 * Written by scripts/torchvision-weights.py from torchvision {torchvision.__version__.split("a")[0]}.
 */

/** Weights of one network. */
export interface TorchvisionWeights {{
  /** The network: `resnet50`. */
  readonly model: string;
  /** Which of its weights: `IMAGENET1K_V2`. */
  readonly weights: string;
  /** Whether these are meant where none are named. */
  readonly isDefault: boolean;
  readonly file: string;
  /** The first digits of the file's checksum. */
  readonly sha256: string;
  /** Percent of ImageNet's validation pictures whose class was named first, and among the first five. */
  readonly top1: number;
  readonly top5: number;
  /** How pictures were resized and cropped for that. */
  readonly resizing: {{ readonly resize: number; readonly crop: number; readonly interpolation: "bilinear" | "bicubic" }};
}}

/** Where the files are. */
export const torchvisionUrl = "{PLACE}";

export const torchvisionWeights: readonly TorchvisionWeights[] = [
{lines},
];
"""
)
print(f"{target}: {len(entries)} files")

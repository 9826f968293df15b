"""Writes src/classes/imagenet.ts: the names of ImageNet's 1,000 classes, as torchvision has them.

    python3 scripts/imagenet-classes.py

Needs torchvision (Debian: python3-torchvision).
"""

from pathlib import Path

import torchvision
from torchvision.models._meta import _IMAGENET_CATEGORIES as names

assert len(names) == 1000 and not any(set(name) & set("`$\\\n") for name in names)
target = Path(__file__).resolve().parent.parent / "src/classes/imagenet.ts"
target.write_text(
    "/**\n"
    " * What the 1,000 classes of ImageNet (ILSVRC 2012) are called, by number, as torchvision names them.\n"
    f" * Written by scripts/imagenet-classes.py from torchvision {torchvision.__version__.split('a')[0]} (BSD 3-Clause).\n"
    " */\n"
    "export const imagenetClasses: readonly string[] = `"
    + "\n".join(names)
    + '`.split("\\n");\n'
)
print(f"{target}: {len(names)} names")

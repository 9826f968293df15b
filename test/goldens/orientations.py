"""A picture in each of the eight EXIF orientations, and what Pillow makes of it, for test/goldens/orientations.test.ts.

Needs Debian's python3-pil and python3-numpy.

  /usr/bin/python3 test/goldens/orientations.py          writes orientations.safetensors beside this file
"""

import io
import json
import pathlib
import struct

import numpy as np
import PIL
from PIL import Image, ImageOps

ORIENTATION = 0x0112
WIDTH, HEIGHT = 16, 8


def pixels():
    """Blocks of different colours, as large as those that JPEG codes."""
    corners = np.array([[[250, 20, 20], [20, 240, 30]], [[30, 40, 245], [128, 128, 128]]], np.uint8)
    return corners.repeat(HEIGHT // 2, 0).repeat(WIDTH // 2, 1)


def save(path, arrays, metadata):
    """Writes arrays of bytes as a safetensors file."""
    header, body = {"__metadata__": metadata}, b""
    for key, array in arrays.items():
        end = len(body) + array.size
        header[key] = {"dtype": "U8", "shape": list(array.shape), "data_offsets": [len(body), end]}
        body += array.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def main():
    arrays, cases = {}, []
    for kind, options in (("JPEG", dict(quality=95, subsampling=0)), ("PNG", {}), ("WEBP", dict(lossless=True))):
        for orientation in range(1, 9):
            exif = Image.Exif()
            exif[ORIENTATION] = orientation
            file = io.BytesIO()
            Image.fromarray(pixels()).save(file, kind, exif=exif, **options)
            result = ImageOps.exif_transpose(Image.open(io.BytesIO(file.getvalue()))).convert("RGB")
            key = str(len(cases))
            arrays[f"{key}.file"] = np.frombuffer(file.getvalue(), np.uint8)
            arrays[f"{key}.result"] = np.asarray(result)
            cases.append(dict(kind=kind, orientation=orientation))
    path = pathlib.Path(__file__).with_name("orientations.safetensors")
    save(path, arrays, {"cases": json.dumps(cases), "pillow": PIL.__version__})


if __name__ == "__main__":
    main()

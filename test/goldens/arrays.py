"""A data set as NumPy writes it, for src/node/arrays.test.ts.

Needs Debian's python3-numpy:  /usr/bin/python3 test/goldens/arrays.py     writes arrays.npz beside this file
"""

import pathlib

import numpy as np

# Pictures of 2 by 4 pixels in colour, whose bytes count up; those to test with lie column by column, their labels big-endian.
pictures = np.arange(5 * 2 * 4 * 3, dtype=np.uint8).reshape(5, 2, 4, 3)
np.savez_compressed(
    pathlib.Path(__file__).parent / "arrays.npz",
    train_images=pictures[:3],
    train_labels=np.array([[0], [2], [1]], np.uint8),
    val_images=pictures[3:4],
    val_labels=np.array([[1]], np.int64),
    test_images=np.asfortranarray(pictures[3:]),
    test_labels=np.array([3, 0], ">i4"),
)

# Beside them what tensors cannot hold: texts of both kinds, objects and records.
np.savez(
    pathlib.Path(__file__).parent / "named-arrays.npz",
    images=pictures[:3],
    labels=np.array([1, 0, 1]),
    class_names=np.array(["Zürich", "naïve 😀"], ">U8"),
    files=np.array([b"a.png", b"b.png", b"c"]),
    sizes=np.array([[2], [2, 4], None], object),
    boxes=np.zeros(3, [("left", "<f4"), ("top", "<f4")]),
)

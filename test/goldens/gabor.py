"""Gabor kernels by scikit-image, for test/vision/kernels.test.ts.

Needs Debian's python3-skimage:  /usr/bin/python3 test/goldens/gabor.py     writes gabor.json beside this file
"""

import json
import pathlib

import numpy as np
import skimage
from skimage.filters import gabor_kernel

HERE = pathlib.Path(__file__).parent


def case(size, wavelength, angle, sigma, aspect, phase):
    full = gabor_kernel(
        1 / wavelength, np.radians(angle), sigma_x=sigma, sigma_y=sigma / aspect, n_stds=10, offset=np.radians(phase)
    )
    # There the Gaussian has an area of 1, here a height of 1.
    full = full.real * 2 * np.pi * sigma * sigma / aspect
    top, left = ((length - size) // 2 for length in full.shape)
    values = full[top : top + size, left : left + size]
    options = dict(wavelength=wavelength, angle=angle, sigma=sigma, aspect=aspect, phase=phase)
    return dict(size=size, options=options, values=values.round(8).ravel().tolist())


cases = [case(9, 4, 0, 2.24, 1, 0), case(9, 5, 30, 2, 0.5, 90), case(7, 6, 135, 3, 0.8, 200)]
(HERE / "gabor.json").write_text(json.dumps(dict(skimage=skimage.__version__, cases=cases)) + "\n")

"""What scikit-learn and scikit-image say of segmented and denoised pictures, for test/train/pixels.test.ts.

Needs Debian's python3-sklearn and python3-skimage:  /usr/bin/python3 test/goldens/pixels.py     writes pixels.json beside this file
"""

import json
import pathlib

import numpy as np
import skimage
import sklearn
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn import metrics

HERE = pathlib.Path(__file__).parent


def segmented(seed, size, classes, present):
    """Masks of the first `present` classes and answers, right more often than not; 255 counts for nothing."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, present, size)
    found = np.where(random.random(size) < 0.6, truth, random.integers(0, present, size))
    ignored = random.random(size) < 0.1
    t, f = truth[~ignored], found[~ignored]
    labels = list(range(present))
    return dict(
        classes=classes,
        found=found.tolist(),
        truth=np.where(ignored, 255, truth).tolist(),
        accuracy=metrics.accuracy_score(t, f),
        iou=metrics.jaccard_score(t, f, labels=labels, average=None).tolist(),
        mean_iou=metrics.jaccard_score(t, f, labels=labels, average="macro"),
        dice=metrics.f1_score(t, f, labels=labels, average=None).tolist(),
        mean_dice=metrics.f1_score(t, f, labels=labels, average="macro"),
        confusion=metrics.confusion_matrix(t, f, labels=range(classes)).tolist(),
    )


def pair(seed, shape):
    random = np.random.default_rng(seed)
    clean = np.kron(random.integers(0, 256, (shape[0], shape[1] // 4 + 1, shape[2] // 4 + 1)), np.ones((4, 4)))
    clean = clean[:, : shape[1], : shape[2]].astype(np.uint8)
    noisy = np.clip(clean + random.normal(0, 30, shape), 0, 255).astype(np.uint8)
    return dict(
        shape=shape,
        picture=noisy.ravel().tolist(),
        truth=clean.ravel().tolist(),
        psnr=peak_signal_noise_ratio(clean, noisy),
        # The settings of Wang et al. 2004.
        ssim=structural_similarity(
            noisy, clean, channel_axis=0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
        ),
    )


cases = dict(
    made_with=dict(sklearn=sklearn.__version__, skimage=skimage.__version__),
    segmented=[segmented(0, 400, 3, 3), segmented(1, 300, 5, 4)],
    pictures=[pair(2, [1, 16, 21]), pair(3, [3, 12, 14])],
)
(HERE / "pixels.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")

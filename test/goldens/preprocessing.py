"""What scikit-learn and NumPy make of samples that they scale and whiten, for test/train/normalization.test.ts.

Needs Debian's python3-sklearn:  /usr/bin/python3 test/goldens/preprocessing.py     writes preprocessing.json beside this file
"""

import json
import pathlib

import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler, StandardScaler

HERE = pathlib.Path(__file__).parent


def zca(train, test, epsilon):
    """Turned to the axes along which samples vary, scaled, and turned back; what does not vary stays 0."""
    values, vectors = np.linalg.eigh(np.cov(train, rowvar=False))
    varying = values > 1e-10 * values.max()
    factors = np.where(varying, 1 / np.sqrt(np.where(varying, values, 1) + epsilon), 0)
    return (test - train.mean(0)) @ (vectors * factors) @ vectors.T


def case(name, train, test):
    rank = int(np.linalg.matrix_rank(train - train.mean(0)))
    return dict(
        name=name,
        train=train.tolist(),
        test=test.tolist(),
        rank=rank,
        min_max=MinMaxScaler((-1, 1)).fit(train).transform(test).tolist(),
        z_score=StandardScaler().fit(train).transform(test).tolist(),
        pca=PCA(n_components=rank, whiten=True, svd_solver="full").fit(train).transform(test).tolist(),
        zca=zca(train, test, 0).tolist(),
        zca_epsilon=zca(train, test, 0.1).tolist(),
    )


def main():
    random = np.random.default_rng(6)

    def draw(size):
        # Correlated values of very different sizes, far from zero.
        return random.normal(size=(size, 6)) @ mixture * [1, 10, 0.1, 1, 3, 1] + [0, 100, 5, -7, 0, 1e3]

    mixture = random.normal(size=(6, 6))
    train, test = draw(40), draw(7)
    deficient, other = train.copy(), test.copy()
    for part in (deficient, other):
        part[:, 3] = part[:, 0] - 2 * part[:, 4]
    deficient[:, 5] = 4.25  # never varies, except in the test set
    cases = [
        case("of full rank", train, test),
        case("with a dependent and a constant feature", deficient, other),
        case("fewer samples than features", random.normal(size=(4, 6)), random.normal(size=(5, 6))),
    ]
    pixels = random.integers(0, 256, (9, 2, 3, 4))
    scaled = pixels / 255
    mean, std = scaled.mean((0, 2, 3), keepdims=True), scaled.std((0, 2, 3), keepdims=True)
    channels = dict(pixels=pixels.ravel().tolist(), z_score=((scaled - mean) / std).ravel().tolist())
    text = json.dumps(dict(sklearn=sklearn.__version__, cases=cases, channels=channels))
    (HERE / "preprocessing.json").write_text(text + "\n")


main()

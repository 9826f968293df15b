"""What scikit-learn and NumPy say of random predictions with many ties, for test/train/metrics.test.ts.

Needs Debian's python3-sklearn:  /usr/bin/python3 test/goldens/metrics.py     writes metrics.json beside this file
"""

import json
import pathlib

import numpy as np
import sklearn
from sklearn import metrics
from sklearn.calibration import calibration_curve
from sklearn.preprocessing import label_binarize

HERE = pathlib.Path(__file__).parent


def binary(seed, size, levels):
    """Scores of a few levels, so that many are equal; positive ones tend to be higher."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, size)
    scores = np.clip(random.integers(0, levels, size) + labels * levels // 4, 0, levels) / levels
    false, true, thresholds = metrics.roc_curve(labels, scores, drop_intermediate=False)
    precision, recall, cuts = metrics.precision_recall_curve(labels, scores)
    observed, predicted = calibration_curve(labels, scores, n_bins=10)
    return dict(
        scores=scores.tolist(),
        labels=labels.tolist(),
        roc=dict(false=false.tolist(), true=true.tolist(), thresholds=thresholds[1:].tolist()),
        area=metrics.roc_auc_score(labels, scores),
        pr=dict(precision=precision.tolist(), recall=recall.tolist(), thresholds=cuts.tolist()),
        average_precision=metrics.average_precision_score(labels, scores),
        area_pr=metrics.auc(recall, precision),
        brier=metrics.brier_score_loss(labels, scores),
        reliability=dict(observed=observed.tolist(), predicted=predicted.tolist()),
    )


def calibration_error(confidence, right, bins):
    """Expected and largest calibration error by their definition, over bins that are open on the left."""
    errors, weights = [], []
    for i in range(bins):
        inside = (confidence > i / bins) & (confidence <= (i + 1) / bins) if i else confidence <= 1 / bins
        if inside.any():
            errors.append(abs(confidence[inside].mean() - right[inside].mean()))
            weights.append(inside.mean())
    return float(np.dot(errors, weights)), float(max(errors))


def multiclass(seed, size, classes, present):
    """Probabilities in sixteenths, so that many are equal; labels of the first `present` classes only."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, present, size)
    rows = np.zeros((size, classes))
    for row, label in zip(rows, labels):
        chosen = random.integers(0, classes, 16)
        chosen[: random.integers(0, 9)] = label
        np.add.at(row, chosen, 1 / 16)
    # Of equal scores scikit-learn takes the last class in top-k and NumPy the first in argmax; the first everywhere here.
    predicted = rows.argmax(1)
    mirrored = dict(y_true=classes - 1 - labels, y_score=rows[:, ::-1], labels=range(classes))
    everyone = list(range(classes))
    scores = metrics.precision_recall_fscore_support(labels, predicted, labels=everyone, zero_division=0)
    means = {
        name: metrics.precision_recall_fscore_support(labels, predicted, average=name, zero_division=0)[:3]
        for name in ["macro", "weighted"]
    }
    confidence, right = rows.max(1), predicted == labels
    onehot = label_binarize(labels, classes=everyone)
    known = [k for k in everyone if 0 < onehot[:, k].sum() < size]
    expected, largest = calibration_error(confidence, right, 10)
    return dict(
        rows=rows.tolist(),
        labels=labels.tolist(),
        accuracy=metrics.accuracy_score(labels, predicted),
        top=[metrics.top_k_accuracy_score(**mirrored, k=k) for k in range(1, classes)],
        confusion=metrics.confusion_matrix(labels, predicted, labels=everyone).tolist(),
        precision=scores[0].tolist(),
        recall=scores[1].tolist(),
        f1=scores[2].tolist(),
        support=scores[3].tolist(),
        means={name: list(map(float, values)) for name, values in means.items()},
        areas={str(k): metrics.roc_auc_score(onehot[:, k], rows[:, k]) for k in known},
        area_macro=metrics.roc_auc_score(onehot[:, known], rows[:, known], average="macro"),
        area_weighted=metrics.roc_auc_score(onehot[:, known], rows[:, known], average="weighted"),
        precision_macro=metrics.average_precision_score(onehot[:, known], rows[:, known], average="macro"),
        expected_error=expected,
        largest_error=largest,
        brier=float(((rows - onehot) ** 2).sum(1).mean()),
    )


def subgroups(seed, size):
    """Rates of each combination of two attributes from scikit-learn, and intervals from 20,000 resamples of NumPy's."""
    random = np.random.default_rng(seed)
    gender = random.choice(["f", "m"], size, p=[0.6, 0.4])
    smile = random.integers(0, 2, size)
    labels = random.integers(0, 2, size)
    wrong = random.random(size) < np.where((gender == "m") & (smile == 1), 0.35, 0.1)
    predicted = np.where(wrong, 1 - labels, labels)

    def rates(y, p):
        tn, fp, fn, tp = metrics.confusion_matrix(y, p, labels=[0, 1]).ravel()
        return dict(
            accuracy=metrics.accuracy_score(y, p),
            baseRate=y.mean(),
            positiveRate=p.mean(),
            truePositiveRate=metrics.recall_score(y, p),
            falsePositiveRate=fp / (fp + tn),
            precision=metrics.precision_score(y, p),
        )

    groups = {}
    masks = {"all": np.ones(size, bool)}
    masks |= {f"gender={g}": gender == g for g in "fm"}
    masks |= {f"smile={s}": smile == s for s in (0, 1)}
    masks |= {f"gender={g}, smile={s}": (gender == g) & (smile == s) for g in "fm" for s in (0, 1)}
    resampled = {}
    for name, mask in masks.items():
        y, p = labels[mask], predicted[mask]
        drawn = [random.integers(0, len(y), len(y)) for _ in range(20_000)]
        resampled[name] = np.array([(y[i] == p[i]).mean() for i in drawn])
        hits = np.array([p[i][y[i] == 1].mean() for i in drawn])
        groups[name] = dict(
            count=int(mask.sum()),
            rates={key: float(value) for key, value in rates(y, p).items()},
            accuracy_interval=np.quantile(resampled[name], [0.025, 0.975]).tolist(),
            hit_interval=np.quantile(hits, [0.025, 0.975]).tolist(),
        )
    combined = [name for name in groups if "," in name]
    best = max(combined, key=lambda name: groups[name]["rates"]["accuracy"])
    worst = min(combined, key=lambda name: groups[name]["rates"]["accuracy"])
    return dict(
        gender=gender.tolist(),
        smile=smile.tolist(),
        labels=labels.tolist(),
        predicted=predicted.tolist(),
        groups=groups,
        best=best,
        worst=worst,
        gap=groups[best]["rates"]["accuracy"] - groups[worst]["rates"]["accuracy"],
        gap_interval=np.quantile(resampled[best] - resampled[worst], [0.025, 0.975]).tolist(),
    )


goldens = dict(
    sklearn=sklearn.__version__,
    binary=[binary(1, 300, 12), binary(2, 80, 1000), binary(3, 9, 2)],
    multiclass=[multiclass(4, 200, 5, 5), multiclass(5, 120, 6, 4)],
    subgroups=subgroups(6, 700),
)
(HERE / "metrics.json").write_text(json.dumps(goldens) + "\n")

#!/usr/bin/env python3
"""Writes tests/goldens/linear/sklearn.json: what scikit-learn's LogisticRegression finds on data of a closed formula.

    python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1
    venv/bin/python tools/reference/linear.py

foundation/model/linear/linear_test.cpp draws the same data (closed_form there), so only the answers are kept.
"""
import json
import pathlib

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

MASK = (1 << 64) - 1
OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "goldens" / "linear" / "sklearn.json"
# name, kind, rows, dimensions, classes or tags, standardised first
SHAPES = (("wide", "softmax", 40, 90, 4, True), ("tall", "softmax", 120, 7, 5, True),
          ("wide", "per_tag", 40, 90, 4, True), ("tall", "per_tag", 120, 7, 5, True),
          ("raw", "softmax", 60, 12, 3, False), ("raw", "per_tag", 60, 12, 3, False))
STRENGTHS = (1e-4, 1e-2, 1.0, 10.0)


def fnv1a64(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def unit(name, count):
    """SplitMix64 of a name and an index as `count` values in [-1, 1) with 24 bits."""
    out = np.empty(count)
    seed = fnv1a64(name)
    for i in range(count):
        z = (seed + (i + 1) * 0x9E3779B97F4A7C15) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        out[i] = (((z ^ (z >> 31)) >> 40) - 8388608) / 8388608
    return out


def draw(kind, rows, dims, classes):
    """Noise plus half of each label's centre. Dimension 1 is constant, dimension 2 on another scale."""
    if kind == "softmax":
        chosen = np.floor((unit("class", rows) + 1) / 2 * classes).astype(int)
        hot = np.eye(classes)[chosen]
    else:
        hot = (unit("tag", rows * classes).reshape(rows, classes) < -0.4).astype(float)
    features = unit("features", rows * dims).reshape(rows, dims)
    centres = unit("centres", classes * dims).reshape(classes, dims)
    for k in range(classes):
        features += hot[:, k:k + 1] * (0.5 * centres[k])
    features[:, 1] = 0.75
    features[:, 2] *= 8
    return features.astype(np.float32).astype(np.float64), hot


def fit(kind, features, hot, c):
    def model():
        return LogisticRegression(C=c, solver="newton-cg", tol=1e-12, max_iter=10000)
    if kind == "softmax":
        found = model().fit(features, hot.argmax(1))
        return found.coef_, found.intercept_, found.predict_proba(features)
    each = [model().fit(features, hot[:, k]) for k in range(hot.shape[1])]
    return (np.concatenate([m.coef_ for m in each]), np.concatenate([m.intercept_ for m in each]),
            np.stack([m.predict_proba(features)[:, 1] for m in each], 1))


def rounded(values):
    return [float(f"{value:.10g}") for value in np.asarray(values).ravel()]


def main():
    cases = []
    for name, kind, rows, dims, classes, standardised in SHAPES:
        features, hot = draw(kind, rows, dims, classes)
        scaler = StandardScaler().fit(features)
        for c in STRENGTHS:
            seen = scaler.transform(features) if standardised else features
            weight, bias, scores = fit(kind, seen, hot, c)
            if standardised:
                weight = weight / scaler.scale_
                bias = bias - weight @ scaler.mean_
            cases.append({"name": f"{kind}_{name}_{c:g}", "kind": kind, "rows": rows, "dims": dims, "classes": classes,
                          "standardised": standardised, "c": c, "weight": rounded(weight), "bias": rounded(bias),
                          "scores": rounded(scores)})
    OUT.write_text(json.dumps({"made_by": "tools/reference/linear.py", "scikit_learn": sklearn.__version__,
                               "cases": cases}) + "\n")


if __name__ == "__main__":
    main()

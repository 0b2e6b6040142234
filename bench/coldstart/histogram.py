#!/usr/bin/env python3
"""The baseline that uses colours only: a joint RGB histogram of eight frames and logistic regression on it.

    histogram.py train --videos SPLIT.jsonl --data DIR --features DIR --model FILE    (needs scikit-learn)
    histogram.py evaluate --videos SPLIT.jsonl --data DIR --features DIR --model FILE --scores FILE
    histogram.py tag FOLDER --model FILE

SPLIT.jsonl: {"labels": "single" or "multi", "hashtags": [...]}, then {"video","file","group","labels","split"} each.
Features are kept in a folder, as by `reeltag train --frozen`. Scores and figures have the form of
`reeltag evaluate --json --scores`. Only the fit needs more than Python and ffmpeg.
"""
import argparse
import collections
import json
import math
import pathlib
import subprocess
import sys
import time

import measures
from results import read_json, write_json, write_whole

FRAMES = 8
SIDE = 32  # pixels; frames are scaled to a square, which keeps the colours
BINS = 8   # of each channel
# Strengths to select from on val: the inverse of the penalty, strongest penalty first.
STRENGTHS = (0.1, 1.0, 10.0, 100.0, 1000.0)
BIN_OF_BYTE = bytes(value * BINS // 256 for value in range(256))


def frames_of(file):
    """All frames, small, as bytes R G B R G B ..."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-threads", "1", "-i", file, "-an", "-fps_mode", "passthrough",
               "-vf", f"scale={SIDE}:{SIDE}:flags=area", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    done = subprocess.run(command, capture_output=True, check=False)
    size = SIDE * SIDE * 3
    frames = [done.stdout[at:at + size] for at in range(0, len(done.stdout) - size + 1, size)]
    if not frames:
        sys.exit(f"{file}: ffmpeg decodes no frame: {done.stderr.decode(errors='replace').strip()}")
    return frames


def middle_of_each_part(count, parts):
    return [(2 * part + 1) * count // (2 * parts) for part in range(parts)]


def histogram_of(frames):
    """Pixels in each of BINS**3 boxes of RGB space."""
    counts = collections.Counter()
    for frame in frames:
        boxes = frame.translate(BIN_OF_BYTE)
        counts.update(zip(boxes[0::3], boxes[1::3], boxes[2::3]))
    return [counts[r, g, b] for r in range(BINS) for g in range(BINS) for b in range(BINS)]


def describe(file):
    """clip: of eight frames spread over the video; frame: of the middle one alone, as if it were repeated."""
    frames = frames_of(file)
    return {"clip": histogram_of([frames[i] for i in middle_of_each_part(len(frames), FRAMES)]),
            "frame": histogram_of([frames[len(frames) // 2]])}


def features_of(video, data, folder):
    kept = pathlib.Path(folder) / f"{video['video']}.json"
    if not kept.is_file():
        write_whole(kept, json.dumps(describe(pathlib.Path(data) / video["file"])).encode())
    return read_json(kept)


def normalised(histogram):
    """Square roots of shares (Hellinger): gives rare colours weight, and the norm is 1 for any frames."""
    total = sum(histogram)
    return [math.sqrt(count / total) for count in histogram]


def scores_of(model, x):
    """One score per hashtag. A hashtag without a training video gets its prior, whatever the video."""
    scores = list(model["priors"])
    logits = [sum(map(float.__mul__, weights, x)) + bias for weights, bias in zip(model["weights"], model["biases"])]
    if model["labels"] == "multi":
        found = [1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, logit)))) for logit in logits]
    else:
        exponentials = [math.exp(logit - max(logits)) for logit in logits]
        found = [e / sum(exponentials) for e in exponentials]
    for place, score in zip(model["classes"], found):
        scores[place] = score
    return scores


def fit(labels, classes, x, truth, strength):
    """x: a row per video; truth: its labels. Returns the model as plain numbers."""
    from sklearn.linear_model import LogisticRegression
    model = {"labels": labels, "strength": strength, "priors": [0.0] * classes, "classes": [], "weights": [],
             "biases": []}
    if labels == "single":
        fitted = LogisticRegression(C=strength, max_iter=5000).fit(x, [t[0] for t in truth])
        if len(fitted.classes_) < 3:
            sys.exit("the train part has fewer than three classes")
        model.update(classes=[int(c) for c in fitted.classes_], weights=fitted.coef_.tolist(),
                     biases=fitted.intercept_.tolist())
        return model
    for c in range(classes):
        is_true = [c in t for t in truth]
        model["priors"][c] = sum(is_true) / len(is_true)
        if 0 < sum(is_true) < len(is_true):
            fitted = LogisticRegression(C=strength, max_iter=5000).fit(x, is_true)
            model["classes"].append(c)
            model["weights"].append(fitted.coef_[0].tolist())
            model["biases"].append(float(fitted.intercept_[0]))
    return model


def read_split(path):
    first, *videos = [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]
    return first, videos


def part(options, videos, side, kind="clip"):
    chosen = [video for video in videos if video["split"] == side]
    return chosen, [normalised(features_of(video, options.data, options.features)[kind]) for video in chosen]


def samples_of(model, videos, x):
    return [measures.Sample(video["group"], tuple(video["labels"]), tuple(scores_of(model, row)))
            for video, row in zip(videos, x)]


def train(options):
    head, videos = read_split(options.videos)
    train_videos, x = part(options, videos, "train")
    val_videos, val_x = part(options, videos, "val")
    classes, single = len(head["hashtags"]), head["labels"] == "single"
    best, best_figures = None, None
    for strength in STRENGTHS:
        model = fit(head["labels"], classes, x, [video["labels"] for video in train_videos], strength)
        found = measures.figures(samples_of(model, val_videos, val_x), classes, ("top1", "map"))
        figures = (found["top1"], found["map"]) if single else (found["map"], found["top1"])
        if best is None or figures > best_figures:
            best, best_figures = model, figures
    best["hashtags"] = head["hashtags"]
    write_json(options.model, best)
    print(json.dumps({"strength": best["strength"], "val": best_figures, "libraries": libraries()}))


def libraries():
    import numpy
    import scipy
    import sklearn
    version = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=True).stdout.split()[2]
    return {"ffmpeg": version, "numpy": numpy.__version__, "python": sys.version.split()[0], "scipy": scipy.__version__,
            "scikit-learn": sklearn.__version__}


def evaluate(options):
    start = time.monotonic()
    head, videos = read_split(options.videos)
    model = read_json(options.model)
    classes = len(head["hashtags"])
    test_videos, x = part(options, videos, "test")
    samples = samples_of(model, test_videos, x)
    lines = [{"model": pathlib.Path(options.model).stem, "dataset": pathlib.Path(options.videos).stem, "split": "test",
              "hashtags": head["hashtags"]}]
    for video, sample in zip(test_videos, samples):
        lines.append({"video": video["video"], "group": video["group"], "labels": video["labels"],
                      "scores": sample.scores})
    write_whole(options.scores, "".join(json.dumps(line) + "\n" for line in lines).encode())
    figures = measures.figures(samples, classes)
    _, frame = part(options, videos, "test", "frame")
    repeated = measures.figures(samples_of(model, test_videos, frame), classes, ("top1", "map"))
    # A histogram ignores the order of frames.
    same = {name: figures[name] for name in ("top1", "map")}
    print(json.dumps({**figures, "videos": len(samples), "seconds": time.monotonic() - start,
                      "time": {"repeated": repeated, "shuffled": same, "reversed": same}}))


def tag(options):
    model = read_json(options.model)
    for file in sorted(path for path in pathlib.Path(options.folder).iterdir() if path.is_file()):
        scores = scores_of(model, normalised(describe(file)["clip"]))
        best = max(range(len(scores)), key=scores.__getitem__)
        print(json.dumps({"video": str(file), "hashtag": model["hashtags"][best], "score": scores[best]}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for name, function in (("train", train), ("evaluate", evaluate), ("tag", tag)):
        command = commands.add_parser(name)
        command.set_defaults(function=function)
        command.add_argument("--model", required=True)
        if name == "tag":
            command.add_argument("folder")
            continue
        for option in ("--videos", "--data", "--features", *(["--scores"] if name == "evaluate" else [])):
            command.add_argument(option, required=True)
    options = parser.parse_args()
    options.function(options)


if __name__ == "__main__":
    main()

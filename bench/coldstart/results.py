"""Reads and writes the folder of results; each file is written completely or not at all.

    TASK/videos.json                          hashtags, videos, groups and labels, once for all rows
    TASK/ROW/seedS-foldF.json                 commands, cost and metrics of that fold
    scores/TASK/ROW/seedS-foldF.json.xz       every test video's scores, as logits, from which the tables are computed
    time/TASK-ROW.json                        ms to tag a video
"""
import json
import lzma
import math
import os
import pathlib
import re

from measures import Sample
from protocol import FOLDS, ROWS, TASKS, Refused

ID_DIGITS = 12  # of the SHA-256: enough to distinguish the videos of a set
# Logits, because scores accumulate near 0 and 1, and all metrics use their order only. With three decimals all rows
# stay under 2 MB, and no metric of the first row changed by more than 0.003 %.
LOGIT_DECIMALS = 3
LEAST = 1e-9  # scores are clamped to at least this distance from 0 and 1


def write_whole(path, content):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(path)


def write_json(path, value):
    write_whole(path, (json.dumps(value, indent=1) + "\n").encode())


def read_json(path):
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def fold_path(out, task, row, seed, fold):
    return pathlib.Path(out) / task / row / f"seed{seed}-fold{fold}.json"


def scores_path(out, task, row, seed, fold):
    return pathlib.Path(out) / "scores" / task / row / f"seed{seed}-fold{fold}.json.xz"


def time_path(out, task, row):
    return pathlib.Path(out) / "time" / f"{task}-{row}.json"


def is_done(out, task, row, seed, fold):
    """Scores are written first, so an existing result implies both."""
    return fold_path(out, task, row, seed, fold).is_file()


def write_scores(path, scores):
    """scores: {video id: [...]}. Deterministic: equal scores give equal bytes."""
    short = {video[:ID_DIGITS]: [round(logit(score), LOGIT_DECIMALS) for score in row]
             for video, row in sorted(scores.items())}
    text = json.dumps(short, separators=(",", ":"))
    write_whole(path, lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def logit(score):
    score = min(max(score, LEAST), 1.0 - LEAST)
    return math.log(score / (1.0 - score))


def read_scores(path):
    """{first digits of the video's id: logits}."""
    return json.loads(lzma.decompress(pathlib.Path(path).read_bytes()))


def write_videos(out, data):
    """Records the videos of a task's results; refuses others, because rows are compared in pairs."""
    content = {"task": data.task.name, "hashtags": list(data.vocabulary),
               "columns": ["video", "group", "labels"],
               "videos": [[v.id[:ID_DIGITS], v.group, list(v.labels)] for v in data.videos]}
    path = pathlib.Path(out) / data.task.name / "videos.json"
    if path.is_file():
        if read_json(path) != content:
            raise Refused(f"{path} holds results of other videos: give another --out")
        return
    head = {name: value for name, value in content.items() if name != "videos"}
    lines = ",\n".join(json.dumps(video) for video in content["videos"])
    write_whole(path, f"{json.dumps(head)[:-1]}, \"videos\": [\n{lines}\n]}}\n".encode())


class Results:
    """All results of a folder, read once. folds: {(task, row, seed, fold): result}."""

    def __init__(self, out):
        self.out = pathlib.Path(out)
        self.folds, self.times = {}, {}
        for task in TASKS:
            for row in ROWS:
                for path in sorted((self.out / task / row).glob("seed*-fold*.json")):
                    seed, fold = map(int, re.fullmatch(r"seed(\d+)-fold(\d+)", path.stem).groups())
                    self.folds[task, row, seed, fold] = read_json(path)
                path = time_path(self.out, task, row)
                if path.is_file():
                    self.times[task, row] = read_json(path)

    def of(self, task, row):
        """The row's results as {(seed, fold): result}."""
        return {key[2:]: result for key, result in self.folds.items() if key[:2] == (task, row)}

    def whole_seeds(self, task, row):
        """The seeds with all folds: only those have tested every video."""
        done = self.of(task, row)
        return sorted({seed for seed, _ in done if all((seed, fold) in done for fold in FOLDS)})

    def videos(self, task):
        """(hashtags, [(video, group, labels)])."""
        content = read_json(self.out / task / "videos.json")
        return content["hashtags"], [(video, group, tuple(labels)) for video, group, labels in content["videos"]]

    def samples(self, task, row, seed):
        """The seed's test scores of all folds in the order of videos.json; every video exactly once, or Refused."""
        scores = {}
        for fold in FOLDS:
            for video, row_scores in read_scores(scores_path(self.out, task, row, seed, fold)).items():
                if video in scores:
                    raise Refused(f"{task} {row}, seed {seed}: video {video} is tested by two folds")
                scores[video] = row_scores
        _, videos = self.videos(task)
        if set(scores) != {video for video, _, _ in videos}:
            raise Refused(f"{task} {row}, seed {seed}: the folds test {len(scores)} videos, not the {len(videos)} of "
                          "videos.json")
        return [Sample(group, labels, tuple(scores[video])) for video, group, labels in videos]

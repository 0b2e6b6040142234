"""Defines the protocol: tasks, folds, seeds. Constants and pure functions; read_task() reads files."""
import collections
import hashlib
import json
import pathlib
from typing import NamedTuple

# Five folds: the split is turned by a fifth of the hash range each time, so every group is tested exactly once.
VAL_PERCENT, TEST_PERCENT = 10, 20
FOLDS = tuple(range(100 // TEST_PERCENT))
# A seed changes the assignment of groups to folds and, for a network, the initialization.
SEEDS = (0, 1, 2)
ROWS = {"histogram": "colour histogram", "scratch": "MViT from scratch", "image": "image encoder + linear head",
        "fused": "MViT and image encoder, fused"}
BASE_ROW = "image"


class Refused(Exception):
    """The run cannot continue; the message says what to change."""


class Task(NamedTuple):
    """folder: of the data folder; labels: single (the first hashtag is the class) or multi; classes: required
    size of the vocabulary, so that results of other data are not mistaken for these; figures: the first one is
    the task's main metric."""
    name: str
    title: str
    folder: str
    labels: str
    classes: int
    min_support: int
    epochs: int
    figures: tuple


TASKS = {task.name: task for task in (
    Task("actions15", "15 actions", "actions", "single", 15, 1, 30, ("top1", "map")),
    Task("categories20", "20 categories", "captioned", "single", 20, 1, 12, ("top1", "map")),
    # Uses all hashtags of a video: 50 words of captions and the 20 categories.
    Task("hashtags70", "70 hashtags", "captioned", "multi", 70, 8, 12, ("map", "hit1", "gap20")))}


class Video(NamedTuple):
    """id: SHA-256 of the file, as the catalog names it; labels: ascending indices of the vocabulary."""
    id: str
    file: str
    group: str
    labels: tuple


class Data(NamedTuple):
    """One task's videos, ordered by id."""
    task: Task
    vocabulary: tuple
    videos: tuple

    def split(self, seed, fold):
        """The videos by side of the split."""
        sides = {"train": [], "val": [], "test": []}
        for video in self.videos:
            sides[side_of(video.group, seed, fold)].append(video)
        return sides


def salt_of(seed):
    return f"coldstart-{seed}"


def turn_of(fold):
    return fold * TEST_PERCENT


def bucket_of(salt, group):
    return int(hashlib.sha1((salt + group).encode()).hexdigest(), 16) % 100


def side_of(group, seed, fold):
    """The rule of `reeltag dataset freeze --val 10 --test 20 --salt SALT --turn TURN`."""
    bucket = (bucket_of(salt_of(seed), group) + turn_of(fold)) % 100
    if bucket < VAL_PERCENT:
        return "val"
    return "test" if bucket >= 100 - TEST_PERCENT else "train"


def vocabulary_of(task, entries):
    """Hashtags by descending support, then by name: the order of scores in every row."""
    support = collections.Counter()
    for entry in entries:
        hashtags = entry["hashtags"]
        support.update(hashtags[:1] if task.labels == "single" else set(hashtags))
    ranked = sorted((-count, hashtag) for hashtag, count in support.items() if count >= task.min_support)
    return tuple(hashtag for _, hashtag in ranked)


def labels_of(task, hashtags, index):
    known = [index[hashtag] for hashtag in hashtags if hashtag in index]
    return tuple(known[:1]) if task.labels == "single" else tuple(sorted(set(known)))


def read_task(task, data):
    """Reads the manifest and the bytes of every video, because a row must not depend on file names."""
    folder = pathlib.Path(data) / task.folder
    try:
        lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise Refused(f"no manifest of {task.name}: {error}") from error
    entries = [json.loads(line) for line in lines if line.strip()]
    vocabulary = vocabulary_of(task, entries)
    if len(vocabulary) != task.classes:
        raise Refused(f"{task.name}: {folder} has {len(vocabulary)} hashtags with at least {task.min_support} videos, "
                      f"not {task.classes}: these are other videos than the protocol's")
    index = {hashtag: place for place, hashtag in enumerate(vocabulary)}
    videos = {}
    for entry in entries:
        digest = hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest()
        if digest in videos:
            raise Refused(f"{task.name}: {entry['file']} and {videos[digest].file} are the same video")
        videos[digest] = Video(digest, entry["file"], entry.get("group") or digest,
                               labels_of(task, entry["hashtags"], index))
    return Data(task, vocabulary, tuple(videos[digest] for digest in sorted(videos)))

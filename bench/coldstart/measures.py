"""Computes metrics of scores and their confidence intervals. Plain Python, so that anyone can check a table.

The definitions are those of stages/evaluate/metrics.cpp. A resample gives every video a weight (0, 1, 2 ... copies);
lists are sorted once and reused by all resamples.
"""
import itertools
import math
import random
from typing import NamedTuple

GAP_DEPTH = 20  # scores of a video that GAP@20 pools
RESAMPLES = 2000
SEED = 20260  # of the resamples; any fixed number


class Sample(NamedTuple):
    """One video: labels are ascending indices of its scores."""
    group: str
    labels: tuple
    scores: tuple


class Figure(NamedTuple):
    """A value with its 95 % interval."""
    value: float
    low: float
    high: float


def check_samples(samples, classes):
    """Raises ValueError for inconsistent samples, whose metrics would look valid."""
    for sample in samples:
        if len(sample.scores) != classes:
            raise ValueError(f"{len(sample.scores)} scores for {classes} hashtags")
        if any(math.isnan(score) for score in sample.scores):
            raise ValueError("a score is not a number")
        if list(sample.labels) != sorted(set(sample.labels)) or any(not 0 <= c < classes for c in sample.labels):
            raise ValueError(f"labels must be ascending indices below {classes}")


def ranking(scores, depth):
    """Indices of the best scores, best first; equal scores by index."""
    return sorted(range(len(scores)), key=lambda c: -scores[c])[:depth]


class RankedList:
    """Entries (video, is it true) of one list, best first."""

    def __init__(self, entries):
        self.hits = [(place, video) for place, (video, hit) in enumerate(entries) if hit]
        # Entries below the last true one have no effect.
        self.videos = [video for video, _ in entries[:self.hits[-1][0] + 1]] if self.hits else []

    def average_precision(self, weights, positives):
        """Non-interpolated; a video with weight k counts as k consecutive entries. None without positives."""
        if positives <= 0:
            return None
        ranks = list(itertools.accumulate([weights[video] for video in self.videos]))
        found, total = 0, 0.0
        for place, video in self.hits:
            copies = weights[video]
            above = ranks[place] - copies
            for k in range(1, copies + 1):
                total += (found + k) / (above + k)
            found += copies
        return total / positives


class Pool:
    """The test scores of all folds, sorted for weighting. Figures: top1, map, hit1, gap20."""

    def __init__(self, samples, classes):
        check_samples(samples, classes)
        self.size = len(samples)
        self.labelled = [1 if sample.labels else 0 for sample in samples]
        self.best_is_true = [1 if ranking(sample.scores, 1)[0] in sample.labels else 0 for sample in samples]
        truth = [set(sample.labels) for sample in samples]
        self.positives = [[i for i in range(self.size) if c in truth[i]] for c in range(classes)]
        self.by_class = []
        for c in range(classes):
            order = sorted(range(self.size), key=lambda i, c=c: -samples[i].scores[c])
            self.by_class.append(RankedList([(i, c in truth[i]) for i in order]))
        pooled = [(samples[i].scores[c], i, c in truth[i])
                  for i in range(self.size) for c in ranking(samples[i].scores, GAP_DEPTH)]
        pooled.sort(key=lambda entry: -entry[0])
        self.pooled = RankedList([(i, hit) for _, i, hit in pooled])

    def top1(self, weights):
        return ratio(dot(weights, self.best_is_true), dot(weights, self.labelled))

    def hit1(self, weights):
        return ratio(dot(weights, self.best_is_true), sum(weights))

    def map(self, weights):
        """Mean over the hashtags that have a true video."""
        found = [ranked.average_precision(weights, sum(weights[i] for i in positives))
                 for ranked, positives in zip(self.by_class, self.positives) if positives]
        found = [value for value in found if value is not None]
        return ratio(sum(found), len(found))

    def gap20(self, weights):
        return self.pooled.average_precision(weights, sum(weights[i] for c in self.positives for i in c))

    def figure(self, name, weights=None):
        return getattr(self, name)([1] * self.size if weights is None else weights)


def figures(samples, classes, names=("top1", "map", "hit1", "gap20")):
    pool = Pool(samples, classes)
    return {name: pool.figure(name) for name in names}


def dot(weights, values):
    return sum(map(int.__mul__, weights, values))


def ratio(part, whole):
    return part / whole if whole > 0 else None


def draw_weights(groups, count, seed):
    """Weights of the videos in each resample: draws whole groups with replacement, as many as there are."""
    members = {}
    for i, group in enumerate(groups):
        members.setdefault(group, []).append(i)
    members = list(members.values())
    random_numbers = random.Random(seed)
    for _ in range(count):
        weights = [0] * len(groups)
        for chosen in random_numbers.choices(members, k=len(members)):
            for i in chosen:
                weights[i] += 1
        yield weights


def interval(value, values):
    """2.5 % and 97.5 % percentiles of the resamples."""
    values = sorted(v for v in values if v is not None)
    if value is None or not values:
        return Figure(value, value, value)

    def at(share):
        place = share * (len(values) - 1)
        below = int(place)
        above = min(below + 1, len(values) - 1)
        return values[below] + (place - below) * (values[above] - values[below])
    return Figure(value, at(0.025), at(0.975))


def mean(values):
    values = [value for value in values if value is not None]
    return ratio(sum(values), len(values))


class Bootstrap:
    """Metrics of several rows over the same videos; all rows and seeds share each resample (paired).

    pools: {(row, seed): Pool}, all over the videos whose groups are given, in one order. A row's figure is the mean
    over its seeds; of a difference, over the seeds that both rows have.
    """

    def __init__(self, pools, groups, names, resamples=RESAMPLES, seed=SEED):
        if any(pool.size != len(groups) for pool in pools.values()):
            raise ValueError("the rows have not scored the same videos")
        self.values = {(key, name): [pool.figure(name)] for key, pool in pools.items() for name in names}
        for weights in draw_weights(groups, resamples, seed):
            for key, pool in pools.items():
                for name in names:
                    self.values[key, name].append(pool.figure(name, weights))

    def seeds(self, row):
        return sorted({seed for (other, seed), _ in self.values if other == row})

    def over_seeds(self, row, name, seeds):
        """The mean over seeds: for the videos themselves, then for each resample."""
        return [mean(values) for values in zip(*(self.values[(row, seed), name] for seed in seeds))]

    def figure(self, row, name):
        """None if the row has no seed."""
        point_and_resamples = self.over_seeds(row, name, self.seeds(row))
        return interval(point_and_resamples[0], point_and_resamples[1:]) if point_and_resamples else None

    def difference(self, row, base, name):
        """row minus base; None if they have no common seed."""
        seeds = sorted(set(self.seeds(row)) & set(self.seeds(base)))
        pairs = list(zip(self.over_seeds(row, name, seeds), self.over_seeds(base, name, seeds)))
        less = [None if a is None or b is None else a - b for a, b in pairs]
        return interval(less[0], less[1:]) if less else None

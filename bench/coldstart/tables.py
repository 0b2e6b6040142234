"""Formats the results as Markdown. Cells that deviate from the protocol are marked."""
import statistics
from typing import NamedTuple

import measures
from protocol import BASE_ROW, FOLDS, ROWS, SEEDS, TASKS

BEGIN, END = "<!-- coldstart begin -->", "<!-- coldstart end -->"
NAMES = {"top1": "top-1", "map": "mAP", "hit1": "Hit@1", "gap20": "GAP@20"}
WANTED = len(SEEDS) * len(FOLDS)
ABSENT = "not run"
TIMES = {"repeated": "one frame repeated", "shuffled": "shuffled", "reversed": "reversed"}


class Measured(NamedTuple):
    """A task's metrics. boot: None if no row has a complete seed; guess: of always predicting the top hashtag."""
    boot: object
    guess: dict
    videos: int
    groups: int


def measure_task(found, task, resamples):
    """None if the task has no results."""
    if not any(found.of(task.name, row) for row in ROWS):
        return None
    hashtags, videos = found.videos(task.name)
    pools = {(row, seed): measures.Pool(found.samples(task.name, row, seed), len(hashtags))
             for row in ROWS for seed in found.whole_seeds(task.name, row)}
    groups = [group for _, group, _ in videos]
    boot = measures.Bootstrap(pools, groups, task.figures, resamples) if pools else None
    return Measured(boot, guess(task, hashtags, videos), len(videos), len(set(groups)))


def guess(task, hashtags, videos):
    support = tuple(sum(c in labels for _, _, labels in videos) for c in range(len(hashtags)))
    samples = [measures.Sample(group, labels, support) for _, group, labels in videos]
    found = measures.figures(samples, len(hashtags), task.figures)
    # With equal scores AP depends on the order; its mean over all orders is the share of true videos.
    return found | {"map": measures.mean([count / len(videos) for count in support if count])}


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def percent(value):
    return "-" if value is None else f"{100 * value:.1f}"


def with_interval(figure, signed=False):
    if figure is None or figure.value is None:
        return "-"
    sign = "+" if signed else ""
    return f"{100 * figure.value:{sign}.1f} ({100 * figure.low:{sign}.1f} to {100 * figure.high:{sign}.1f})"


def state(found, task, row):
    """"" for a complete row, * for one with some complete seeds, else the text of the cell instead of a figure."""
    done = len(found.of(task.name, row))
    if done >= WANTED and len(found.whole_seeds(task.name, row)) >= len(SEEDS):
        return ""
    if found.whole_seeds(task.name, row):
        return "*"
    return f"{done} of {WANTED} folds" if done else ABSENT


def figure_cell(found, measured, task, row, name, base=None):
    what = state(found, task, row)
    if what not in ("", "*"):
        return what
    if base is None:
        return with_interval(measured.boot.figure(row, name)) + what
    mark = what or ("*" if state(found, task, base) == "*" else "")
    difference = measured.boot.difference(row, base, name)
    return "-" if difference is None else with_interval(difference, signed=True) + mark


def figure_columns(measured):
    return [(task, name) for task in TASKS.values() if measured.get(task.name) for name in task.figures]


def head_of(columns):
    return ["", *(f"{task.title}: {NAMES[name]}" for task, name in columns)]


def accuracy(found, measured):
    columns = figure_columns(measured)
    rows = [["always the most frequent", *(percent(measured[task.name].guess[name]) for task, name in columns)]]
    for row, title in ROWS.items():
        rows.append([title, *(figure_cell(found, measured[task.name], task, row, name) for task, name in columns)])
    return table(head_of(columns), rows)


def differences(found, measured):
    columns, rows = figure_columns(measured), []
    for row, title in ROWS.items():
        if row != BASE_ROW:
            cells = (figure_cell(found, measured[task.name], task, row, name, BASE_ROW) for task, name in columns)
            rows.append([title, *cells])
    return table(head_of(columns), rows)


def seconds_text(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def train_seconds(found, task, row):
    """CPU seconds of each fold; a fused model needs the MViT of the same fold, so its training counts too."""
    parts = [row, "scratch"] if row == "fused" else [row]
    return [sum(found.of(task.name, part)[key]["cpu_seconds"]["train"] for part in parts)
            for key in found.of(task.name, row) if all(key in found.of(task.name, part) for part in parts)]


def cost(found, measured):
    tasks = [task for task in TASKS.values() if measured.get(task.name)]
    rows = []
    for row, title in ROWS.items():
        cells = []
        for task in tasks:
            values = train_seconds(found, task, row)
            median = statistics.median(values) if values else 0.0
            cells.append(f"{seconds_text(median)} ({seconds_text(max(values))})" if values else ABSENT)
        for task in tasks:
            time = found.times.get((task.name, row))
            cells.append(f"{time['cpu_ms_per_video']:.0f}" if time else ABSENT)
        rows.append([title, *cells])
    head = [f"{task.title}: {what}" for what in ("s to train", "ms to tag") for task in tasks]
    return table(["", *head], rows)


def over_folds(results, pick):
    """The mean over folds, weighted by test videos. None unless every fold has the metric."""
    pairs = [(pick(result), result["videos"]["test"]) for result in results]
    if not pairs or any(value is None for value, _ in pairs):
        return None
    return sum(value * videos for value, videos in pairs) / sum(videos for _, videos in pairs)


def time_destroyed(found, measured):
    rows = []
    for task in TASKS.values():
        if not measured.get(task.name):
            continue
        name = task.figures[0]
        for row, title in ROWS.items():
            what, whole = state(found, task, row), found.whole_seeds(task.name, row)
            results = [result for (seed, _), result in sorted(found.of(task.name, row).items()) if seed in whole]
            cells = [over_folds(results, lambda result: result["figures"][name])]
            cells += [over_folds(results, lambda result, way=way: ((result["time"] or {}).get(way) or {}).get(name))
                      for way in TIMES]
            cells = [percent(cell) + what for cell in cells] if what in ("", "*") else [what] + ["-"] * len(TIMES)
            rows.append([f"{task.title}, {NAMES[name]}", title, *cells])
    return table(["", "", "as filmed", *TIMES.values()], rows)


def provenance(found, measured):
    rows = []
    for task in TASKS.values():
        for row, title in ROWS.items():
            done = found.of(task.name, row)
            if not measured.get(task.name) or not done:
                continue
            boot, name = measured[task.name].boot, task.figures[0]
            by_seed = [percent(boot.values[(row, seed), name][0]) for seed in found.whole_seeds(task.name, row)]
            hours = sum(sum(result["cpu_seconds"].values()) for result in done.values()) / 3600
            rows.append([task.title, title, f"{len(done)} of {WANTED}", ", ".join(by_seed) or "-", f"{hours:.2f}",
                         said(result["commit"][:12] + ("-dirty" if result["commit"].endswith("-dirty") else "")
                              for result in done.values()),
                         said(result["date"] for result in done.values())])
    return table(["", "", "folds", "the first figure by seed", "CPU hours", "commit", "date"], rows)


def said(values):
    """The distinct values, or the first and last of many."""
    values = sorted(set(values))
    return ", ".join(values) if len(values) < 4 else f"{values[0]} to {values[-1]}"


def marks(found, measured):
    lines = []
    for task in TASKS.values():
        for row, title in ROWS.items():
            if measured.get(task.name) and state(found, task, row) == "*":
                lines.append(f"\\* {title}, {task.title}: {len(found.of(task.name, row))} of {WANTED} folds are done; "
                             "the figures are of the seeds that are whole.")
    return lines


def commands(found):
    """For each row, the commands of the first fold with a result."""
    lines = []
    for row in ROWS:
        keys = [key for key in found.folds if key[1] == row]
        if not keys:
            continue
        key = min(keys, key=lambda key: (list(TASKS).index(key[0]), key[2:]))
        lines.append(f"bench/coldstart/coldstart.py run --row {row} --data DATA   # {key[0]}, seed {key[2]}, fold "
                     f"{key[3]}:")
        lines += [f"#   {command}" for command in found.folds[key]["commands"].values()]
    for row in ROWS:
        first = next((time for (_, other), time in found.times.items() if other == row), None)
        if first:
            lines.append(f"bench/coldstart/coldstart.py time --row {row} --data DATA   # (CPU of {first['videos']} "
                         f"videos - CPU of one) / {first['videos'] - 1}:")
            lines.append(f"#   {first['command']}")
    return "```sh\n" + "\n".join(lines) + "\n```"


def markdown(found, resamples=measures.RESAMPLES):
    measured = {name: measure_task(found, task, resamples) for name, task in TASKS.items()}
    if not any(measured.values()):
        return "Nothing has been run yet.\n"
    sizes = "; ".join(f"{TASKS[name].title}: {one.videos} videos of {one.groups} groups"
                      for name, one in measured.items() if one)
    machines = said(result["machine"] for result in (*found.folds.values(), *found.times.values()))
    parts = [
        f"{len(FOLDS)} folds over groups, {len(SEEDS)} seeds, nothing chosen on the test fold. {sizes}. The test "
        "scores of a seed's folds are pooled, so that every video counts once; figures are means over the seeds, in "
        f"per cent, with 95 % intervals from {resamples} resamples of the groups, the same for all rows.",
        accuracy(found, measured), *marks(found, measured),
        f"Less the figure of \"{ROWS[BASE_ROW]}\", paired: every resample gives both rows. An interval without 0 is a "
        "difference.",
        differences(found, measured),
        "CPU time. To train: the median fold (and the largest: the first to need a video's features computes and keeps "
        "them); fused counts the training of its MViT. To tag: one more video in a folder, on one thread.",
        cost(found, measured),
        "With time destroyed: the same videos with one frame repeated, or their frames shuffled or reversed; means "
        "over folds, each by its test videos (for mAP that is another figure than the pooled one above).",
        time_destroyed(found, measured),
        f"What was run, on {machines}:", provenance(found, measured), commands(found)]
    return "\n\n".join(parts) + "\n"


def put_into(text, block):
    """The document with the block between the marks; ValueError unless each mark occurs once, in order."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"needs one {BEGIN} and, after it, one {END}")
    return text[:text.index(BEGIN) + len(BEGIN)] + "\n" + block + text[text.index(END):]

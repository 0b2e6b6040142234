"""Runs one fold of one row: freezes, trains, evaluates, checks, and records scores and cost."""
import json
import pathlib
import shutil
import sys
from typing import NamedTuple

import process
import results
from process import Failed
from protocol import TEST_PERCENT, VAL_PERCENT, salt_of, turn_of

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RECIPE = "MVITv2_XXS_8"
WARMUP_SHARE = 0.1  # of the epochs, as in the recipe
IMAGE = "image.mean,image.delta"
FIGURES = ("top1", "map", "hit1", "gap20")


class Bench(NamedTuple):
    """program: reeltag; python: one with requirements.txt; home: intermediate files; out: the results."""
    program: pathlib.Path
    python: pathlib.Path
    data: pathlib.Path
    home: pathlib.Path
    out: pathlib.Path

    def set_home(self, task):
        """Gives each set of clips its own home, as a dataset is frozen from the whole catalog."""
        return self.home / task.folder

    def reeltag(self, task, *arguments):
        return [self.program, "--home", self.set_home(task), "--json", *arguments]

    def histogram(self, *arguments):
        return [self.python, HERE / "histogram.py", *arguments]

    def log(self, task, name):
        return self.set_home(task) / "coldstart" / f"{name}.log"

    def shown(self, command):
        names = {self.program: "reeltag", self.python: "python3", self.home: "HOME", self.data: "DATA"}
        return process.shown(command, {**names, HERE: "bench/coldstart"})


class Fold(NamedTuple):
    """Training and test data. dataset: its id, or the file of the split for the colour histogram."""
    row: str
    data: object
    seed: int
    fold: int
    dataset: str = ""

    def name(self, row=None):
        return f"coldstart-{row or self.row}-{self.data.task.name}-s{self.seed}-f{self.fold}"


def import_videos(bench, task):
    process.run(bench.reeltag(task, "import", bench.data / task.folder), bench.log(task, "import"))


def freeze(bench, fold):
    """Returns (command, id). Checks before training that the program split the videos as the protocol does."""
    data, task = fold.data, fold.data.task
    vocabulary = bench.set_home(task) / "coldstart" / f"{task.name}.txt"
    results.write_whole(vocabulary, "".join(f"{hashtag}\n" for hashtag in data.vocabulary).encode())
    command = bench.reeltag(task, "dataset", "freeze", "--labels", task.labels, "--min-support", task.min_support,
                            "--vocabulary", vocabulary, "--val", VAL_PERCENT, "--test", TEST_PERCENT,
                            "--salt", salt_of(fold.seed), "--turn", turn_of(fold.fold), "--by", "group")
    frozen = last_json(process.run(command, bench.log(task, f"{fold.name()}-freeze")))
    expected = {side: len(videos) for side, videos in data.split(fold.seed, fold.fold).items()}
    if frozen["videos"] != expected:
        raise Failed(f"{bench.shown(command)} split the videos as {frozen['videos']}, the protocol as {expected}")
    return command, frozen["dataset"]


def write_split(bench, fold):
    """Writes the colour histogram's dataset."""
    task = fold.data.task
    lines = [{"labels": task.labels, "hashtags": fold.data.vocabulary}]
    for side, videos in fold.data.split(fold.seed, fold.fold).items():
        lines += [{"video": v.id, "file": v.file, "group": v.group, "labels": v.labels, "split": side} for v in videos]
    path = bench.set_home(task) / "coldstart" / f"{fold.name()}.split.jsonl"
    results.write_whole(path, "".join(json.dumps(line) + "\n" for line in lines).encode())
    return path


def model_of(bench, fold, row=None):
    """The file that marks a completed training."""
    home, name = bench.set_home(fold.data.task), fold.name(row)
    if (row or fold.row) == "histogram":
        return home / "coldstart" / f"{name}.model.json"
    return home / "runs" / name / "bundle" / "bundle.json"


def histogram_arguments(bench, fold, verb):
    task = fold.data.task
    return [verb, "--videos", fold.dataset, "--data", bench.data / task.folder, "--features",
            bench.set_home(task) / "coldstart" / "histograms", "--model", model_of(bench, fold)]


def train_command(bench, fold):
    task = fold.data.task
    if fold.row == "histogram":
        return bench.histogram(*histogram_arguments(bench, fold, "train"))
    command = bench.reeltag(task, "train", "--dataset", fold.dataset, "--run", fold.name(), "--set", "train.threads=1")
    if fold.row == "scratch":
        keys = [f"SOLVER.MAX_EPOCH={task.epochs}", f"SOLVER.WARMUP_EPOCHS={round(task.epochs * WARMUP_SHARE, 1)}",
                f"RNG_SEED={fold.seed}"]
        if task.labels == "multi":
            keys.append("REELTAG.HEAD_PRIOR=0.02")
        return command + ["--recipe", RECIPE] + [word for key in keys for word in ("--key", key)]
    if fold.row == "image":
        return [*command, "--frozen", "--blocks", IMAGE]
    return [*command, "--frozen", "--blocks", f"mvit,{IMAGE}", "--from", fold.name("scratch")]


def evaluate_command(bench, fold, scores):
    if fold.row == "histogram":
        return bench.histogram(*histogram_arguments(bench, fold, "evaluate"), "--scores", scores)
    return bench.reeltag(fold.data.task, "evaluate", "--run", fold.name(), "--split", "test", "--scores", scores)


def tag_command(bench, fold, folder):
    if fold.row == "histogram":
        return bench.histogram("tag", folder, "--model", model_of(bench, fold))
    return bench.reeltag(fold.data.task, "tag", folder, "--model", fold.name(), "--set", "train.threads=1")


def last_json(ran):
    try:
        return json.loads(ran.output.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise Failed(f"no JSON as the last line of output: {ran.output[-200:]!r}") from error


def train(bench, fold, command, commit):
    """Trains, or reuses a training completed by an interrupted run with the same command at the same commit, whose CPU
    seconds were recorded. An incomplete training is repeated, as its CPU seconds are lost."""
    task = fold.data.task
    note, model = bench.set_home(task) / "coldstart" / f"{fold.name()}.trained.json", model_of(bench, fold)
    made_by = {"command": bench.shown(command), "commit": commit}
    if note.is_file() and model.is_file() and not commit.endswith("-dirty"):
        noted = results.read_json(note)
        if {key: noted[key] for key in made_by} == made_by:
            return noted
    note.unlink(missing_ok=True)
    if fold.row != "histogram":
        shutil.rmtree(bench.set_home(task) / "runs" / fold.name(), ignore_errors=True)
    ran = process.run(command, bench.log(task, f"{fold.name()}-train"))
    noted = {**made_by, "cpu_seconds": ran.cpu_seconds, "seconds": ran.seconds}
    if fold.row == "histogram":
        noted |= {name: last_json(ran)[name] for name in ("strength", "libraries")}
    results.write_json(note, noted)
    return noted


def read_scores(path, fold):
    """{video: scores}, after checking the fold's videos, hashtags and labels."""
    head, *lines = [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]
    if head["hashtags"] != list(fold.data.vocabulary):
        raise Failed(f"{path}: other hashtags, or another order, than the protocol's")
    expected = {video.id: list(video.labels) for video in fold.data.split(fold.seed, fold.fold)["test"]}
    found = {line["video"]: line["labels"] for line in lines}
    if len(found) != len(lines) or found != expected:
        missing = len(expected.keys() - found.keys())
        raise Failed(f"{path}: not the fold's videos and labels: {len(lines)} lines, {len(expected)} videos expected, "
                     f"{missing} of them missing")
    return {line["video"]: line["scores"] for line in lines}


def versions_of(bench, fold, trained):
    if fold.row == "histogram":
        return trained["libraries"]
    requirements = (ROOT / "tools" / "requirements" / "program.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split()[0].split("==") for line in requirements if "==" in line)
    version = process.run([bench.program, "--version"], bench.log(fold.data.task, "version")).output.split()
    return {"reeltag": version[-1] if version else "unknown", "libtorch": pins.get("torch", "unknown")}


def run_fold(bench, row, data, seed, number):
    """Writes the fold's scores and result. Raises Failed if a command fails or its output violates the protocol."""
    fold, commit = Fold(row, data, seed, number), process.commit_of(ROOT)
    task, commands = data.task, {}
    if row == "fused" and not model_of(bench, fold, "scratch").is_file():
        raise Failed(f"needs the MViT of the same fold: run --row scratch --task {task.name} with this --home first")
    if row == "histogram":
        fold = fold._replace(dataset=write_split(bench, fold))
    else:
        command, dataset = freeze(bench, fold)
        fold, commands["freeze"] = fold._replace(dataset=dataset), bench.shown(command)
    command = train_command(bench, fold)
    commands["train"] = bench.shown(command)
    trained = train(bench, fold, command, commit)
    scores = bench.set_home(task) / "coldstart" / f"{fold.name()}.scores.jsonl"
    command = evaluate_command(bench, fold, scores)
    commands["evaluate"] = bench.shown(command)
    tested = process.run(command, bench.log(task, f"{fold.name()}-evaluate"))
    found = last_json(tested)
    results.write_scores(results.scores_path(bench.out, task.name, row, seed, number), read_scores(scores, fold))
    result = {"row": row, "task": task.name, "seed": seed, "fold": number, "commands": commands, "commit": commit,
              "machine": process.machine(), "date": process.today(),
              "cpu_seconds": {"train": round(trained["cpu_seconds"], 3), "evaluate": round(tested.cpu_seconds, 3)},
              "seconds": {"train": round(trained["seconds"], 3), "evaluate": round(tested.seconds, 3)},
              "videos": {side: len(videos) for side, videos in data.split(seed, number).items()},
              "figures": {name: found.get(name) for name in FIGURES}, "time": found.get("time"),
              "versions": versions_of(bench, fold, trained)}
    if "strength" in trained:
        result["strength"] = trained["strength"]
    results.write_json(results.fold_path(bench.out, task.name, row, seed, number), result)
    return result


def run_row(bench, row, task_data, seeds, numbers):
    """Runs all folds without a result. Returns how many failed; a failure does not stop the others."""
    task, failed, imported = task_data.task, 0, False
    results.write_videos(bench.out, task_data)
    for seed in seeds:
        for number in numbers:
            where = f"{row} {task.name} seed {seed} fold {number}"
            if results.is_done(bench.out, task.name, row, seed, number):
                print(f"{where}: done before", file=sys.stderr)
                continue
            try:
                if row != "histogram" and not imported:
                    import_videos(bench, task)
                    imported = True
                result = run_fold(bench, row, task_data, seed, number)
            except Failed as error:
                failed += 1
                print(f"{where}: FAILED: {error}", file=sys.stderr)
                continue
            name = task.figures[0]
            value = result["figures"][name]
            print(f"{where}: {name} {'none' if value is None else f'{100 * value:.1f} %'}, "
                  f"{result['cpu_seconds']['train']:.1f} s CPU to train, "
                  f"{result['cpu_seconds']['evaluate']:.1f} s to test", file=sys.stderr, flush=True)
    return failed

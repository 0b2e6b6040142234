"""Measures the marginal cost of tagging: CPU time of a folder minus that of one video, which includes the start-up."""
import pathlib
import statistics
import tempfile

import folds
import process
import results
from process import Failed

VIDEOS = 40
REPEATS = 3


def link_videos(folder, source, videos):
    folder.mkdir()
    for video in videos:
        (folder / f"{video.id[:results.ID_DIGITS]}{pathlib.Path(video.file).suffix}").symlink_to(source / video.file)


def measure(bench, row, data, seed=0, number=0, videos=VIDEOS, repeats=REPEATS):
    """Writes and returns {"cpu_ms_per_video": median, "runs": [...]}: (CPU of N videos - CPU of one) / (N - 1)."""
    task = data.task
    fold = folds.Fold(row, data, seed, number)
    if not folds.model_of(bench, fold).is_file():
        raise Failed(f"no model of {row} {task.name} seed {seed} fold {number} in {bench.home}: run that row first")
    source = (bench.data / task.folder).resolve()
    # Ordered by content hash: effectively random, and the same for every row.
    chosen = data.videos[:videos]
    if len(chosen) < 2:
        raise Failed(f"{task.name} has too few videos to measure")
    with tempfile.TemporaryDirectory(prefix="coldstart-") as temporary:
        many, one = pathlib.Path(temporary) / "many", pathlib.Path(temporary) / "one"
        link_videos(many, source, chosen)
        link_videos(one, source, chosen[:1])
        runs, log = [], bench.log(task, f"{fold.name()}-tag")
        for _ in range(repeats):
            cost = [process.run(folds.tag_command(bench, fold, folder), log).cpu_seconds for folder in (many, one)]
            runs.append(round(1000 * (cost[0] - cost[1]) / (len(chosen) - 1), 2))
    result = {"row": row, "task": task.name, "seed": seed, "fold": number,
              "command": bench.shown(folds.tag_command(bench, fold, "FOLDER")), "videos": len(chosen),
              "cpu_ms_per_video": statistics.median(runs), "runs": runs, "commit": process.commit_of(folds.ROOT),
              "machine": process.machine(), "date": process.today()}
    results.write_json(results.time_path(bench.out, task.name, row), result)
    return result

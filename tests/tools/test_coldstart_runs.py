"""Runs of bench/coldstart with a script in place of the program: what is done, skipped and refused, and the tables."""
import contextlib
import io
import json
import os
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "coldstart"))
import coldstart  # noqa: E402
import environment  # noqa: E402
import folds  # noqa: E402
import process  # noqa: E402
import protocol  # noqa: E402
import results  # noqa: E402
import tables  # noqa: E402
import tagging  # noqa: E402

ACTIONS = protocol.TASKS["actions15"]
COMMIT = "0123456789abcdef0123456789abcdef01234567"

# Stands for reeltag. Splits by its own reading of the rule; FAIL names what fails: "train coldstart-...-s0-f1".
PROGRAM = '''#!/usr/bin/env python3
import hashlib, json, os, pathlib, sys
words = sys.argv[1:]
if words == ["--version"]:
    sys.exit(print("reeltag 0.0.0"))
value = lambda name: words[words.index(name) + 1]
home = pathlib.Path(value("--home"))
home.mkdir(parents=True, exist_ok=True)
verb = next(word for word in words if word in ("import", "freeze", "train", "evaluate", "tag"))
name = value("--run") if "--run" in words else value("--model") if verb == "tag" else ""
with open(home / "calls.txt", "a") as calls:
    calls.write(f"{verb} {name}\\n")
if os.environ.get("FAIL") and os.environ["FAIL"] in f"{verb} {name}":
    sys.exit("out of luck")
if verb == "import":
    folder = pathlib.Path(words[-1])
    entries = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    for entry in entries:
        entry["id"] = hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest()
    (home / "catalog.json").write_text(json.dumps(entries))
    print("{}")
elif verb == "freeze":
    vocabulary = pathlib.Path(value("--vocabulary")).read_text().split()
    val, test = int(value("--val")), int(value("--test"))
    counts, items = {"train": 0, "val": 0, "test": 0}, []
    for entry in json.loads((home / "catalog.json").read_text()):
        digest = hashlib.sha1((value("--salt") + entry["group"]).encode()).digest()
        bucket = (int.from_bytes(digest, "big") % 100 + int(value("--turn"))) % 100
        side = "val" if bucket < val else "test" if bucket >= 100 - test else "train"
        counts[side] += 1
        labels = [vocabulary.index(h) for h in entry["hashtags"] if h in vocabulary]
        labels = labels[:1] if value("--labels") == "single" else sorted(labels)
        items.append({"video": entry["id"], "group": entry["group"], "labels": labels, "side": side})
    text = json.dumps({"hashtags": vocabulary, "items": items})
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    (home / name).write_text(text)
    print(json.dumps({"dataset": name, "videos": counts}))
elif verb == "train":
    bundle = home / "runs" / name / "bundle"
    bundle.mkdir(parents=True)  # fails where there is one
    if "--from" in words and not (home / "runs" / value("--from") / "bundle" / "bundle.json").is_file():
        sys.exit("no such run")
    (bundle / "bundle.json").write_text(json.dumps(value("--dataset")))
    print("{}")
elif verb == "evaluate":
    dataset = json.loads((home / "runs" / name / "bundle" / "bundle.json").read_text())
    frozen = json.loads((home / dataset).read_text())
    items = [item for item in frozen["items"] if item.pop("side") == "test"]
    if os.environ.get("LOSE"):
        items = items[1:]
    lines = [{"model": name, "dataset": dataset, "split": "test", "hashtags": frozen["hashtags"]}]
    for item in items:
        scores = [int(hashlib.sha1(f"{item['video']} {c}".encode()).hexdigest()[:8], 16) / 2**32
                  for c in range(len(frozen["hashtags"]))]
        if "image" in name:
            scores[item["labels"][0]] += 0.5
        lines.append({**item, "scores": scores})
    pathlib.Path(value("--scores")).write_text("".join(json.dumps(line) + "\\n" for line in lines))
    figures = {"top1": 0.5, "map": 0.4}
    print(json.dumps({**figures, "hit1": 0.5, "gap20": 0.3,
                      "time": {"repeated": figures, "shuffled": figures, "reversed": figures}}))
elif verb == "tag":
    print("{}")
'''


class OnFakeData(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="coldstart-")
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name).resolve()
        self.out, self.home = self.folder / "out", self.folder / "home"
        self.program = self.folder / "reeltag"
        self.program.write_text(PROGRAM)
        self.program.chmod(0o755)
        self.make_data()
        mock.patch.object(process, "commit_of", return_value=COMMIT).start()
        self.addCleanup(mock.patch.stopall)

    def make_data(self, classes=15, name="clip"):
        """Sixty videos of thirty groups; nobody decodes them here."""
        folder = self.folder / "data" / "actions"
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "manifest.jsonl", "w", encoding="utf-8") as manifest:
            for i in range(60):
                (folder / f"{i}.mp4").write_bytes(f"{name} {i}".encode())
                entry = {"id": str(i), "file": f"{i}.mp4", "group": f"g{i // 2}", "hashtags": [f"act{i % classes:02d}"]}
                manifest.write(json.dumps(entry) + "\n")

    def coldstart(self, command, *arguments, **environment):
        """Returns (exit status, stdout, stderr)."""
        if command in ("run", "time"):
            arguments = ["--task", "actions15", "--data", self.folder / "data", "--home", self.home, "--program",
                         self.program, *arguments]
        output, errors = io.StringIO(), io.StringIO()
        with mock.patch.dict(os.environ, environment), contextlib.redirect_stdout(output), \
                contextlib.redirect_stderr(errors):
            status = coldstart.main([command, "--out", str(self.out), *map(str, arguments)])
        return status, output.getvalue(), errors.getvalue()

    def run_row(self, row, *arguments, **environment):
        return self.coldstart("run", "--row", row, *arguments, **environment)

    def calls(self, verb):
        lines = (self.home / "actions" / "calls.txt").read_text().splitlines()
        return [line.split(" ", 1)[1] for line in lines if line.startswith(verb)]

    def fold(self, row, seed=0, fold=0):
        return results.read_json(results.fold_path(self.out, "actions15", row, seed, fold))


class Runs(OnFakeData):
    def test_a_row_is_run_once(self):
        self.assertEqual(self.run_row("scratch", "--seeds", "0")[0], 0)
        names = [f"coldstart-scratch-actions15-s0-f{fold}" for fold in range(5)]
        self.assertEqual(self.calls("train"), names)
        self.assertEqual(self.calls("import"), [""])
        status, _, errors = self.run_row("scratch", "--seeds", "0")
        self.assertEqual((status, errors.count("done before")), (0, 5))
        self.assertEqual(self.calls("train"), names)
        self.run_row("scratch", "--seeds", "1", "--folds", "3")
        self.assertEqual(self.calls("train"), [*names, "coldstart-scratch-actions15-s1-f3"])

    def test_a_result_says_what_ran_where_and_what_it_cost(self):
        self.run_row("scratch", "--seeds", "1", "--folds", "2")
        found = self.fold("scratch", 1, 2)
        self.assertEqual(found["commands"]["freeze"],
                         "reeltag --home HOME/actions --json dataset freeze --labels single --min-support 1 "
                         "--vocabulary HOME/actions/coldstart/actions15.txt --val 10 --test 20 --salt coldstart-1 "
                         "--turn 40 --by group")
        self.assertRegex(found["commands"]["train"],
                         "^reeltag --home HOME/actions --json train --dataset [0-9a-f]{16} "
                         "--run coldstart-scratch-actions15-s1-f2 --set train.threads=1 --recipe MVITv2_XXS_8 "
                         "--key SOLVER.MAX_EPOCH=30 --key SOLVER.WARMUP_EPOCHS=3.0 --key RNG_SEED=1$")
        self.assertEqual(found["commit"], COMMIT)
        self.assertGreater(found["cpu_seconds"]["train"], 0)
        self.assertEqual(sum(found["videos"].values()), 60)
        self.assertEqual(found["figures"], {"top1": 0.5, "map": 0.4, "hit1": 0.5, "gap20": 0.3})
        self.assertEqual(found["time"]["repeated"]["top1"], 0.5)
        self.assertEqual(found["versions"]["reeltag"], "0.0.0")
        for path in self.out.rglob("*.json"):
            self.assertNotIn(str(self.folder), path.read_text())

    def test_a_fold_that_fails_is_reported_and_the_others_run(self):
        status, _, errors = self.run_row("image", "--seeds", "0", FAIL="train coldstart-image-actions15-s0-f1")
        self.assertEqual(status, 3)
        self.assertIn("image actions15 seed 0 fold 1: FAILED: ", errors)
        self.assertIn("ended with status 1\nout of luck", errors)
        done = [fold for fold in range(5) if results.is_done(self.out, "actions15", "image", 0, fold)]
        self.assertEqual(done, [0, 2, 3, 4])
        self.assertEqual(self.run_row("image", "--seeds", "0")[0], 0)
        self.assertEqual(len(self.calls("train")), 6)

    def test_what_was_trained_is_not_trained_again_when_testing_failed(self):
        one = ("--seeds", "0", "--folds", "0")
        self.assertEqual(self.run_row("image", *one, FAIL="evaluate")[0], 3)
        self.assertEqual(self.run_row("image", *one)[0], 0)
        self.assertEqual(len(self.calls("train")), 1)

    def test_a_training_of_another_commit_or_cut_short_is_done_again(self):
        one = ("--seeds", "0", "--folds", "0")
        self.run_row("image", *one, FAIL="evaluate")
        process.commit_of.return_value = COMMIT[::-1]
        self.run_row("image", *one, FAIL="evaluate")
        self.assertEqual(len(self.calls("train")), 2)
        (self.home / "actions" / "coldstart" / "coldstart-image-actions15-s0-f0.trained.json").unlink()
        self.assertEqual(self.run_row("image", *one)[0], 0)
        self.assertEqual(len(self.calls("train")), 3)

    def test_fused_starts_from_the_mvit_of_its_fold(self):
        one = ("--seeds", "0", "--folds", "1")
        status, _, errors = self.run_row("fused", *one)
        self.assertEqual(status, 3)
        self.assertIn("run --row scratch --task actions15 with this --home first", errors)
        self.run_row("scratch", *one)
        self.assertEqual(self.run_row("fused", *one)[0], 0)
        self.assertTrue(self.fold("fused", 0, 1)["commands"]["train"].endswith(
            "--frozen --blocks mvit,image.mean,image.delta --from coldstart-scratch-actions15-s0-f1"))

    def test_a_video_without_scores_fails_the_fold(self):
        status, _, errors = self.run_row("image", "--seeds", "0", "--folds", "0", LOSE="1")
        self.assertEqual(status, 3)
        self.assertIn("1 of them missing", errors)
        self.assertFalse(results.is_done(self.out, "actions15", "image", 0, 0))

    def test_a_program_that_splits_otherwise_is_found_out_before_it_trains(self):
        with mock.patch.object(folds, "turn_of", return_value=1):
            status, _, errors = self.run_row("image", "--seeds", "0", "--folds", "2")
        self.assertEqual(status, 3)
        self.assertIn("the protocol as", errors)
        self.assertEqual(self.calls("train"), [])

    def test_other_videos_are_refused(self):
        one = ("--seeds", "0", "--folds", "0")
        self.run_row("image", *one)
        self.make_data(name="other")
        status, _, errors = self.run_row("image", *one)
        self.assertEqual(status, 1)
        self.assertIn("holds results of other videos", errors)
        self.make_data(classes=14)
        status, _, errors = self.run_row("image", *one)
        self.assertEqual(status, 1)
        self.assertIn("14 hashtags with at least 1 videos, not 15", errors)
        self.make_data()
        (self.folder / "data" / "actions" / "1.mp4").write_bytes(b"clip 0")
        self.assertIn("are the same video", self.run_row("image", *one)[2])

    def test_what_is_missing_is_named(self):
        self.program.unlink()
        self.assertIn("reeltag is not there: build it", self.run_row("image")[2])
        with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit) as usage:
            self.coldstart("run", "--row", "image", "--folds", "5")
        self.assertEqual(usage.exception.code, 2)

    def test_the_histograms_python_is_made_once(self):
        venv, made = self.folder / "venv", []

        def install(command, **_):
            made.append(command)
            venv.mkdir(exist_ok=True)
            return mock.Mock(returncode=status)
        with mock.patch.object(environment.subprocess, "run", install), contextlib.redirect_stderr(io.StringIO()):
            status = 1
            with self.assertRaisesRegex(protocol.Refused, "could not be installed"):
                environment.ready_python(venv)
            status = 0
            self.assertEqual([environment.ready_python(venv) for _ in range(2)], [venv / "bin" / "python"] * 2)
        self.assertEqual(len(made), 1 + 2)
        self.assertIn("--require-hashes", made[-1])

    def test_scores_are_the_same_bytes_and_keep_their_order(self):
        path = self.folder / "scores.json.xz"
        results.write_scores(path, {"b" * 64: [0.123456789, 0.0], "a" * 64: [1.0, 0.000123456789]})
        first = path.read_bytes()
        results.write_scores(path, {"a" * 64: [1.0, 0.000123456789], "b" * 64: [0.123456789, 0.0]})
        self.assertEqual(path.read_bytes(), first)
        self.assertEqual(results.read_scores(path), {"a" * 12: [20.723, -8.999], "b" * 12: [-1.96, -20.723]})

    def test_the_time_of_a_video_leaves_out_the_start(self):
        self.run_row("image", "--seeds", "0", "--folds", "0")
        folders, cost = [], iter((10.0, 2.0, 9.0, 2.0, 30.0, 2.0))

        def run(command, log):
            del log
            folders.append(len(os.listdir(command[command.index("tag") + 1])))
            return process.Ran("", next(cost), 1.0)
        with mock.patch.object(process, "run", run):
            self.assertEqual(self.coldstart("time", "--row", "image", "--videos", "9")[0], 0)
        found = results.read_json(results.time_path(self.out, "actions15", "image"))
        self.assertEqual((found["cpu_ms_per_video"], found["runs"]), (1000.0, [1000.0, 875.0, 3500.0]))
        self.assertEqual(folders, [9, 1] * tagging.REPEATS)
        self.assertEqual(self.coldstart("time", "--row", "fused")[0], 3)

    def test_a_video_tested_twice_or_never_is_no_figure(self):
        self.run_row("image", "--seeds", "0")
        found = results.Results(self.out)
        self.assertEqual(len(found.samples("actions15", "image", 0)), 60)
        paths = [results.scores_path(self.out, "actions15", "image", 0, fold) for fold in (0, 1)]
        paths[1].write_bytes(paths[0].read_bytes())
        with self.assertRaisesRegex(protocol.Refused, "is tested by two folds"):
            found.samples("actions15", "image", 0)
        results.write_scores(paths[1], {})
        with self.assertRaisesRegex(protocol.Refused, "not the 60"):
            found.samples("actions15", "image", 0)


class Tables(OnFakeData):
    """One table for rows that are whole, begun, and absent."""

    def lines(self, text):
        """The tables in their order, each as rows of cells."""
        blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("| ")]
        return [[[cell.strip() for cell in line.strip("|").split("|")] for line in block] for block in blocks]

    def test_rows_say_how_far_they_are(self):
        self.run_row("image")
        self.run_row("scratch", "--seeds", "0")
        self.run_row("scratch", "--seeds", "1", "--folds", "0,1")
        self.run_row("fused", "--seeds", "0", "--folds", "0,1")
        status, text, _ = self.coldstart("table", "--resamples", "50")
        self.assertEqual(status, 0)
        accuracy, differences, cost, destroyed, provenance = self.lines(text)
        cells = {row[0]: row[1] for row in accuracy}
        self.assertRegex(cells["image encoder + linear head"], r"^\d+\.\d \(\d+\.\d to \d+\.\d\)$")
        self.assertRegex(cells["MViT from scratch"], r"\)\*$")
        self.assertEqual(cells["MViT and image encoder, fused"], "2 of 15 folds")
        self.assertEqual(cells["colour histogram"], "not run")
        self.assertEqual(cells["always the most frequent"], "6.7")
        self.assertRegex({row[0]: row[1] for row in differences}["MViT from scratch"], r"^[+-]\d.*\)\*$")
        self.assertNotIn("image encoder + linear head", [row[0] for row in differences])
        self.assertIn("\\* MViT from scratch, 15 actions: 7 of 15 folds are done", text)
        self.assertEqual([row[2:] for row in destroyed if row[1] == "image encoder + linear head"], [["50.0"] * 4])
        self.assertEqual([row[2:] for row in destroyed if row[1] == "MViT and image encoder, fused"],
                         [["2 of 15 folds", "-", "-", "-"]])
        self.assertEqual({row[1]: row[2] for row in provenance}["MViT from scratch"], "7 of 15")
        self.assertIn(COMMIT[:12], text)
        self.assertIn("#   reeltag --home HOME/actions --json evaluate --run coldstart-image-actions15-s0-f0", text)
        # Fused needs the MViT of its fold, whose training is counted.
        trained = [self.fold(row, 0, fold)["cpu_seconds"]["train"] for row in ("fused", "scratch") for fold in (0, 1)]
        expected = max(trained[0] + trained[2], trained[1] + trained[3])
        self.assertIn(f"({tables.seconds_text(expected)})", {row[0]: row[1] for row in cost}["MViT and image encoder, fused"])

    def test_the_document_is_replaced_between_its_marks_only(self):
        document = self.folder / "results.md"
        document.write_text(f"before\n{tables.BEGIN}\nstale\n{tables.END}\nafter\n")
        self.run_row("image", "--seeds", "0")
        for _ in range(2):
            self.assertEqual(self.coldstart("document", "--document", document, "--resamples", "10")[0], 0)
            text = document.read_text()
            self.assertTrue(text.startswith(f"before\n{tables.BEGIN}\n") and text.endswith(f"{tables.END}\nafter\n"))
            self.assertNotIn("stale", text)
        document.write_text("no marks\n")
        status, _, errors = self.coldstart("document", "--document", document, "--resamples", "10")
        self.assertEqual((status, document.read_text()), (1, "no marks\n"))
        self.assertIn("needs one", errors)

    def test_nothing_run_is_said(self):
        self.assertEqual(self.coldstart("table")[1], "Nothing has been run yet.\n")


if __name__ == "__main__":
    unittest.main()

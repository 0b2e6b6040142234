"""Two processes train what one process trains; stopped or broken, they go on where they were."""
import array
import json
import math
import random
import signal
import struct
import subprocess
import tempfile
import time
import unittest

import support
from s3_server import free_port
from support import ONE_CORE, must, run

EPOCHS = 4
# 40 videos in batches of 12, of which the last one of an epoch is smaller, and divided all the same.
OPTIONS = ["--key", f"SOLVER.MAX_EPOCH={EPOCHS}", "--key", "DATA.TRAIN_CROP_SIZE=64", "--key", "DATA.TEST_CROP_SIZE=64",
           "--key", "TRAIN.BATCH_SIZE=12", "--key", "MODEL.DROPOUT_RATE=0.3", "--key", "MVIT.DROPPATH_RATE=0.3", *ONE_CORE]
TIMEOUT = 60
WAIT_SECONDS = 300
# Of a tensor's norm. Sums over a batch are made in another order, so weights differ by rounding, and where a gradient is
# nearly zero AdamW makes more of that: 2e-5 at most when it was measured. With draws that do not follow the division of a
# batch no tensor was nearer than 1.5e-3, and the farthest 0.14.
TOLERANCE = 2e-4


def tensors(path):
    """Name to floats of a safetensors file."""
    content = path.read_bytes()
    size = struct.unpack_from("<Q", content)[0]
    out = {}
    for name, entry in json.loads(content[8:8 + size]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            out[name] = array.array("f", content[8 + size + begin:8 + size + end])
    return out


class Rank:
    """One process of a training."""

    def __init__(self, case, home, rank, size, port, arguments, **more):
        self.errors = case.enterContext(tempfile.TemporaryFile("w+", encoding="utf-8"))
        self.out = case.enterContext(tempfile.TemporaryFile("w+", encoding="utf-8"))
        environment = support.environment(RANK=str(rank), WORLD_SIZE=str(size), LOCAL_RANK=str(rank),
                                          MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), **more)
        command = [support.PROGRAM, "--home", home, "train", "--set", f"train.rank_timeout={TIMEOUT}", *arguments, "--json"]
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=self.errors, env=environment)
        case.addCleanup(self.process.wait)
        case.addCleanup(self.process.kill)

    def end(self, timeout=WAIT_SECONDS):
        """Exit status, stdout, stderr."""
        status = self.process.wait(timeout)
        texts = []
        for file in (self.out, self.errors):
            file.seek(0)
            texts.append(file.read())
        return support.Ended(self.process.args, status, *texts)


class Distributed(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.folder / "home"
        support.make_clips(cls.folder / "clips", set="mixed", classes=3, clips_per_class=20, seconds=1, size="64x64")
        support.train_tiny(cls.home, cls.folder / "clips", run_name="warm-up", labels="multi")
        must(run("train", "--recipe", cls.home / "tiny.yaml", "--run", "one", *OPTIONS, "--json", home=cls.home))

    def start(self, *arguments, size=2):
        port = free_port()
        return [Rank(self, self.home, rank, size, port, arguments) for rank in range(size)]

    def start_run(self, name, *more, size=2):
        return self.start("--recipe", self.home / "tiny.yaml", "--run", name, *OPTIONS, *more, size=size)

    def finish(self, ranks):
        """The result, which rank 0 alone prints."""
        ended = [must(rank.end()) for rank in ranks]
        for other in ended[1:]:
            self.assertEqual(other.out, "")
        return ended[0].json()

    def weights(self, name):
        return (self.home / "runs" / name / "bundle" / "weights.safetensors").read_bytes()

    def log(self, name):
        path = self.home / "runs" / name / "log.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []

    def wait_until(self, ranks, happened):
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            found = happened()
            if found:
                return found
            for rank in ranks:
                self.assertIsNone(rank.process.poll(), "the training ended too early")
            time.sleep(0.01)
        return self.fail("the training takes too long")

    def in_mid_training(self, name, ranks):
        """Waits for some moment after the first epoch, before the last."""
        line = self.wait_until(ranks, lambda: self.log(name))[0]
        time.sleep(random.uniform(0.05, 0.4) * line["seconds"])

    def check_log(self, name):
        """Of an epoch's lines: the same clips, and losses that differ by rounding."""
        want, got = self.log("one"), self.log(name)
        self.assertEqual([line["epoch"] for line in got], list(range(1, EPOCHS + 1)))
        self.assertEqual([line["clips"] for line in got], [line["clips"] for line in want])
        for figure in ("train_loss", "val_loss"):
            for a, b in zip(got, want):
                self.assertAlmostEqual(a[figure] / b[figure], 1, delta=1e-6, msg=figure)


class SameModel(Distributed):
    def assertSameModel(self, a, b):
        one, other = (tensors(self.home / "runs" / name / "bundle" / "weights.safetensors") for name in (a, b))
        self.assertEqual(one.keys(), other.keys())
        for name, values in one.items():
            # A shift of all keys changes no softmax: its gradient is rounding noise, which AdamW makes steps of.
            if not name.endswith("norm_k.bias"):
                self.assertLess(math.dist(values, other[name]) / math.hypot(*values), TOLERANCE, name)

    def test_two_processes_train_what_one_trains(self):
        result = self.finish(self.start_run("two"))
        self.assertEqual((result["run"], result["epochs"]), ("two", EPOCHS))
        self.assertEqual(sorted(path.name for path in (self.home / "runs" / "two").iterdir()),
                         sorted(path.name for path in (self.home / "runs" / "one").iterdir()))
        self.assertSameModel("one", "two")
        self.check_log("two")
        self.finish(self.start_run("again"))
        self.assertEqual(self.weights("again"), self.weights("two"))

    def test_more_processes_than_the_last_batch_has_clips(self):
        self.assertEqual(self.log("one")[0]["clips"] % 12, 4)
        self.finish(self.start_run("six", size=6))
        self.assertSameModel("one", "six")
        self.check_log("six")

    def test_videos_that_fail_are_left_out_by_all_and_named_once(self):
        path = next((self.home / "datasets").glob("*/videos.jsonl"))
        items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        train = [self.home / "store" / item["key"] for item in items if item["split"] == "train"]
        other = [self.home / "store" / item["key"] for item in items if item["split"] == "val"]
        cut, missing, empty, text, missing_val = *train[:4], other[0]
        for file in (cut, missing, empty, text, missing_val):
            self.addCleanup(file.write_bytes, file.read_bytes())
        cut.write_bytes(cut.read_bytes()[:100])
        missing.unlink()
        empty.write_bytes(b"")
        text.write_text("no video", encoding="utf-8")
        missing_val.unlink()
        alone = run("train", "--recipe", self.home / "tiny.yaml", "--run", "one-damaged", *OPTIONS, "--json",
                    home=self.home)
        self.assertStatus(alone, 3)
        ended = [rank.end() for rank in self.start_run("two-damaged")]
        self.assertStatus(ended[0], 3)
        self.assertStatus(ended[1], 0)
        self.assertEqual(self.log("two-damaged")[0]["clips"], 36)
        failed = {one["video"]: one["error"]["code"] for one in alone.json()["failed"]}
        self.assertEqual(set(failed), {file.stem for file in (cut, missing, empty, text, missing_val)})
        self.assertEqual((failed[missing.stem], failed[missing_val.stem]), ("not_found", "not_found"))
        both = {one["video"]: one["error"]["code"] for one in ended[0].json()["failed"]}
        self.assertEqual(both, failed)
        self.assertSameModel("one-damaged", "two-damaged")


class Interrupted(Distributed):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        case = cls("check_undisturbed")
        try:
            case.finish(case.start_run("undisturbed"))
        finally:
            case.doCleanups()

    def check_undisturbed(self, name):
        self.assertEqual(self.weights(name), self.weights("undisturbed"))
        for figure in ("train_loss", "train_top1", "val_loss"):
            self.assertEqual([line[figure] for line in self.log(name)],
                             [line[figure] for line in self.log("undisturbed")])

    def test_a_signal_to_one_stops_both_resumably(self):
        for signalled in (0, 1):
            name = f"stopped-{signalled}"
            ranks = self.start_run(name)
            self.in_mid_training(name, ranks)
            ranks[signalled].process.send_signal(signal.SIGTERM)
            ended = [rank.end() for rank in ranks]
            self.assertStatus(ended[signalled], 143)
            self.assertStatus(ended[1 - signalled], 130)
            for one in ended:
                self.assertEqual(one.errors()[None]["code"], "interrupted")
                self.assertIn(f"--resume {name}", one.errors()[None]["message"])
            self.finish(self.start("--resume", name))
            self.check_undisturbed(name)

    def test_a_killed_process_ends_the_other_which_names_it(self):
        for killed in (0, 1):
            name = f"killed-{killed}"
            ranks = self.start_run(name)
            self.in_mid_training(name, ranks)
            ranks[killed].process.kill()
            begin = time.monotonic()
            other = ranks[1 - killed].end(TIMEOUT)
            self.assertLess(time.monotonic() - begin, TIMEOUT)
            self.assertStatus(other, 1)
            error = other.errors()[None]
            self.assertEqual(error["code"], "unavailable")
            self.assertIn(f"rank {killed} of 2 is gone", error["message"])
            self.assertIn(f"--resume {name}", error["message"])
            self.finish(self.start("--resume", name))
            self.check_undisturbed(name)

    def test_a_process_that_hangs_counts_as_lost_in_time(self):
        ranks = self.start("--recipe", self.home / "tiny.yaml", "--run", "hung", *OPTIONS, "--set", "train.rank_timeout=5")
        self.in_mid_training("hung", ranks)
        ranks[1].process.send_signal(signal.SIGSTOP)
        other = ranks[0].end(5 + TIMEOUT / 2)
        self.assertIn("rank 1 of 2 is gone", other.errors()[None]["message"])
        ranks[1].process.kill()
        self.finish(self.start("--resume", "hung"))
        self.check_undisturbed("hung")

    def test_other_hosts_need_no_checkpoint(self):
        """A host that does not share the run's folder."""
        ranks = self.start_run("apart")
        self.in_mid_training("apart", ranks)
        ranks[1].process.send_signal(signal.SIGINT)
        self.assertStatus(ranks[1].end(), 130)
        ranks[0].end()
        other = self.folder / "other-home"
        (other / "runs" / "apart").mkdir(parents=True)
        for shared in ("datasets", "catalog.db", "store", "config.yaml"):
            if (self.home / shared).exists():
                (other / shared).symlink_to(self.home / shared)
        for file in ("recipe.yaml", "options.json"):
            (other / "runs" / "apart" / file).write_bytes((self.home / "runs" / "apart" / file).read_bytes())
        port = free_port()
        self.finish([Rank(self, home, rank, 2, port, ["--resume", "apart"])
                     for rank, home in enumerate((self.home, other))])
        self.check_undisturbed("apart")
        self.assertEqual(sorted(path.name for path in (other / "runs" / "apart").iterdir()),
                         ["options.json", "recipe.yaml"])


class Refused(Distributed):
    def test_a_batch_that_cannot_be_divided(self):
        ranks = self.start_run("odd", "--key", "TRAIN.BATCH_SIZE=7")
        for rank in ranks:
            ended = rank.end()
            self.assertStatus(ended, 2)
            self.assertEqual(ended.errors()[None]["code"], "invalid_config")
            self.assertIn("take 6 or 8", ended.errors()[None]["message"])
        self.assertFalse((self.home / "runs" / "odd").exists())

    def test_processes_that_were_started_differently(self):
        port = free_port()
        common = ["--recipe", self.home / "tiny.yaml", "--run", "unlike", *OPTIONS]
        ranks = [Rank(self, self.home, 0, 2, port, common),
                 Rank(self, self.home, 1, 2, port, [*common, "--key", "RNG_SEED=1"])]
        for rank in ranks:
            ended = rank.end()
            self.assertStatus(ended, 2)
            self.assertIn("rank 1 was started otherwise than rank 0: the recipe", ended.errors()[None]["message"])
        self.assertFalse((self.home / "runs" / "unlike").exists())

    def test_a_run_that_exists_is_said_by_all(self):
        ended = [rank.end() for rank in self.start_run("one")]
        self.assertEqual(ended[0].errors()[None]["code"], "already_exists")
        self.assertIn("rank 0 of 2 has ended", ended[1].errors()[None]["message"])
        self.assertIn("holds a run already", ended[1].errors()[None]["message"])

    def test_a_process_that_does_not_come(self):
        rank = Rank(self, self.home, 0, 2, free_port(), ["--recipe", self.home / "tiny.yaml", "--run", "alone", *OPTIONS,
                                                        "--set", "train.rank_timeout=1"])
        ended = rank.end()
        self.assertStatus(ended, 1)
        self.assertIn("rank 1 of 2 did not come", ended.errors()[None]["message"])
        self.assertFalse((self.home / "runs" / "alone").exists())

    def test_what_goes_with_one_process_only(self):
        world = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
        frozen = run("train", "--frozen", "--run", "head", "--json", home=self.home, **world)
        self.assertIn("--frozen is fitted by one process", frozen.errors()[None]["message"])
        nameless = run("train", "--recipe", self.home / "tiny.yaml", "--json", home=self.home, **world)
        self.assertIn("name it with --run", nameless.errors()[None]["message"])
        del world["RANK"]
        self.assertIn("has no RANK", run("train", "--run", "x", "--json", home=self.home, **world).errors()[None]["message"])


if __name__ == "__main__":
    unittest.main()

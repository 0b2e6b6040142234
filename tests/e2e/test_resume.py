"""A training that is stopped anywhere and resumed ends in the same bytes as one that nobody disturbed."""
import json
import signal
import subprocess
import tempfile
import time
import unittest

import support
from support import ONE_CORE, must, run

EPOCHS = 4
# Large enough for an epoch to last some tenths of a second: a signal must be able to hit its middle.
OPTIONS = ["--key", f"SOLVER.MAX_EPOCH={EPOCHS}", "--key", "DATA.TRAIN_CROP_SIZE=64", "--key", "DATA.TEST_CROP_SIZE=64",
           "--key", "TRAIN.BATCH_SIZE=2", *ONE_CORE]
WAIT_SECONDS = 300


class Resume(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.folder / "home"
        support.make_clips(cls.folder / "clips", set="mixed", classes=3, clips_per_class=20, seconds=1, size="64x64")
        support.train_tiny(cls.home, cls.folder / "clips", run_name="warm-up", labels="multi")
        must(run("train", "--recipe", cls.home / "tiny.yaml", "--run", "undisturbed", *OPTIONS, "--json", home=cls.home))
        cls.want = cls.weights("undisturbed")

    @classmethod
    def weights(cls, name):
        return (cls.home / "runs" / name / "bundle" / "weights.safetensors").read_bytes()

    def start(self, name):
        command = [support.PROGRAM, "--home", self.home, "train", "--recipe", self.home / "tiny.yaml", "--run", name,
                   *OPTIONS, "--json"]
        errors = self.enterContext(tempfile.TemporaryFile("w+", encoding="utf-8"))
        process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=errors, env=support.environment())
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, errors

    def wait_until(self, process, happened):
        """The first true value of happened()."""
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            found = happened()
            if found:
                return found
            self.assertIsNone(process.poll(), "the training ended too early")
            time.sleep(0.01)
        return self.fail("the training takes too long")

    def stop_in_epoch(self, name, epoch, number):
        """Sends the signal in the middle of the epoch (counted from 1). Returns the exit status."""
        process, errors = self.start(name)
        log = self.home / "runs" / name / "log.jsonl"

        def line_before():
            lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
            return json.loads(lines[epoch - 2]) if len(lines) >= epoch - 1 else None
        time.sleep(0.4 * self.wait_until(process, line_before)["seconds"])
        process.send_signal(number)
        status = process.wait(WAIT_SECONDS)
        errors.seek(0)
        self.assertFalse((self.home / "runs" / name / "bundle").exists(), "it was over before the signal came")
        return status, errors.read()

    def finish(self, name):
        result = must(run("train", "--resume", name, "--json", home=self.home)).json()
        self.assertEqual((result["run"], result["epochs"]), (name, EPOCHS))
        self.assertEqual(self.weights(name), self.want)
        lines = (self.home / "runs" / name / "log.jsonl").read_text(encoding="utf-8").splitlines()
        self.assertEqual([json.loads(line)["epoch"] for line in lines], list(range(1, EPOCHS + 1)))
        undisturbed = (self.home / "runs" / "undisturbed" / "log.jsonl").read_text(encoding="utf-8").splitlines()
        for figure in ("train_loss", "train_top1", "val_loss"):
            self.assertEqual([json.loads(line)[figure] for line in lines],
                             [json.loads(line)[figure] for line in undisturbed])

    def test_killed_in_mid_epoch(self):
        status, _ = self.stop_in_epoch("killed", 3, signal.SIGKILL)
        self.assertEqual(status, -signal.SIGKILL)
        self.finish("killed")

    def test_terminated_in_mid_epoch(self):
        status, errors = self.stop_in_epoch("terminated", 3, signal.SIGTERM)
        self.assertEqual(status, 143, errors)
        error = json.loads(errors.splitlines()[-1])["error"]
        self.assertEqual(error["code"], "interrupted")
        self.assertIn("--resume terminated", error["message"])
        newest = sorted((self.home / "runs" / "terminated" / "checkpoints").iterdir())[-1]
        self.assertNotEqual(newest.stem.split("-")[1], "00000000", "the checkpoint is not from mid-epoch")
        self.finish("terminated")

    def test_interrupted_from_the_keyboard(self):
        status, errors = self.stop_in_epoch("interrupted", 2, signal.SIGINT)
        self.assertEqual(status, 130, errors)
        self.finish("interrupted")

    def test_killed_before_the_first_checkpoint(self):
        process, _ = self.start("young")
        self.wait_until(process, (self.home / "runs" / "young" / "options.json").is_file)
        process.kill()
        process.wait()
        self.finish("young")

    def test_a_damaged_newest_checkpoint_costs_an_epoch_not_the_run(self):
        self.stop_in_epoch("damaged", 4, signal.SIGKILL)
        newest = sorted((self.home / "runs" / "damaged" / "checkpoints").glob("*.safetensors"))[-1]
        newest.write_bytes(newest.read_bytes()[:1000])
        self.finish("damaged")

    def test_another_seed_gives_other_bytes(self):
        must(run("train", "--recipe", self.home / "tiny.yaml", "--run", "other", *OPTIONS, "--key", "RNG_SEED=1",
                 "--json", home=self.home))
        self.assertNotEqual(self.weights("other"), self.want)

    def test_what_may_change_is_applied_and_said(self):
        must(run("train", "--recipe", self.home / "tiny.yaml", "--run", "longer", *OPTIONS, "--set", "train.half=true",
                 "--set", "train.rank_timeout=77", "--json", home=self.home))
        done = run("train", "--resume", "longer", "--key", f"SOLVER.MAX_EPOCH={EPOCHS + 1}", "--key", "SOLVER.COSINE_END_LR=1e-7",
                   "--set", "train.cache_gb=1.5", "--json", home=self.home)
        self.assertEqual(must(done).json()["epochs"], EPOCHS + 1)
        changed = {line["key"]: line for line in map(json.loads, done.err.splitlines()) if line.get("event") == "run_changed"}
        self.assertEqual(set(changed), {"SOLVER.MAX_EPOCH", "SOLVER.COSINE_END_LR", "train.cache_gb"})
        self.assertEqual((changed["SOLVER.MAX_EPOCH"]["from"], changed["SOLVER.MAX_EPOCH"]["to"]), (EPOCHS, EPOCHS + 1))
        folder = self.home / "runs" / "longer"
        lines = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
        self.assertEqual([json.loads(line)["epoch"] for line in lines], list(range(1, EPOCHS + 2)))
        # What the run began with and nobody changed stays, and the next resumption knows the change.
        settings = json.loads((folder / "options.json").read_text(encoding="utf-8"))["train"]
        self.assertEqual((settings["half"], settings["rank_timeout"], settings["cache_gb"]), (True, 77, 1.5))
        self.assertEqual(must(run("train", "--resume", "longer", "--json", home=self.home)).json()["epochs"], EPOCHS + 1)

    def test_what_may_not_change_stops_it_by_name(self):
        before = (self.home / "runs" / "undisturbed" / "recipe.yaml").read_bytes()
        for key in ("SOLVER.BASE_LR=1", "TRAIN.BATCH_SIZE=4", "RNG_SEED=3", "DATA.TRAIN_CROP_SIZE=32", "MVIT.DEPTH=1"):
            done = run("train", "--resume", "undisturbed", "--key", key, "--json", home=self.home)
            self.assertStatus(done, 2)
            self.assertIn(key.split("=")[0], done.errors()[None]["message"])
        for options in (["--recipe", "MVITv2_XXS_8"], ["--dataset", "x"], ["--run", "other"], ["--from", "starter"], ["--frozen"]):
            done = run("train", "--resume", "undisturbed", *options, "--json", home=self.home)
            self.assertStatus(done, 2)
            self.assertIn(options[0], done.err)
        done = run("train", "--resume", "undisturbed", "--key", f"SOLVER.MAX_EPOCH={EPOCHS - 1}", "--json", home=self.home)
        self.assertStatus(done, 2)
        self.assertIn("SOLVER.MAX_EPOCH", done.errors()[None]["message"])
        self.assertEqual((self.home / "runs" / "undisturbed" / "recipe.yaml").read_bytes(), before)
        self.assertEqual(self.weights("undisturbed"), self.want)

    def test_there_must_be_a_run_to_resume(self):
        done = run("train", "--resume", "nowhere", "--json", home=self.home)
        self.assertStatus(done, 1)
        self.assertEqual(done.errors()[None]["code"], "not_found")


if __name__ == "__main__":
    unittest.main()

"""The training container of SageMaker: a job from /opt/ml/input to /opt/ml/model, stopped and started again, failing."""
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import threading
import time
import unittest

import support
from sagemaker_container import ENTRY, Serving

EPOCHS = 4
# Large enough for an epoch to last some tenths of a second: a signal must be able to hit its middle.
HYPERPARAMETERS = {"recipe": "config/tiny.yaml", "epochs": str(EPOCHS), "batch_size": "2", "seed": "3",
                   "labels": "multi", "min_support": "4", "DATA.TRAIN_CROP_SIZE": "64", "DATA.TEST_CROP_SIZE": "64",
                   "train.threads": "1", "train.decode_threads": "1", "train.device": "cpu",
                   "sagemaker_program": "train.py", "_tuning_objective_metric": "val_map"}
WAIT_SECONDS = 300


class Training(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clips = cls.folder / "clips"
        support.make_clips(cls.clips, set="mixed", classes=3, clips_per_class=20, seconds=1, size="64x64")
        cls.number = 0

    def opt_ml(self, channels, hyperparameters=None, modes=None, hosts=("algo-1",), host="algo-1"):
        """A tree as the platform makes it. channels: the folder of each, None for a pipe."""
        type(self).number += 1
        base = self.folder / f"opt-ml-{self.number}"
        data, config = base / "input" / "data", base / "input" / "config"
        for folder in (data / "config", config, base / "model", base / "output", base / "checkpoints"):
            folder.mkdir(parents=True)
        (data / "config" / "tiny.yaml").write_text(support.TINY_RECIPE, encoding="utf-8")
        modes = modes or {}
        described = {"config": {"TrainingInputMode": "File"}}
        for name, folder in channels.items():
            described[name] = {"TrainingInputMode": modes.get(name, "File"), "S3DistributionType": "FullyReplicated",
                               "RecordWrapperType": "None"}
            if folder:
                (data / name).symlink_to(folder)
        for name, content in (("hyperparameters", {**HYPERPARAMETERS, **(hyperparameters or {})}),
                              ("inputdataconfig", described),
                              ("resourceconfig", {"current_host": host, "hosts": list(hosts),
                                                  "network_interface_name": "lo"})):
            (config / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        return base

    def start(self, base):
        errors = (base / "stderr").open("w")
        self.addCleanup(errors.close)
        process = subprocess.Popen([str(ENTRY), "train", "--opt-ml", str(base), "--json"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=errors, text=True,
                                   env=support.environment(TRAINING_JOB_NAME="job-7"))
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def train(self, base):
        process = self.start(base)
        out, _ = process.communicate(timeout=WAIT_SECONDS)
        return process.returncode, out

    def must_train(self, base):
        status, out = self.train(base)
        self.assertEqual(status, 0, (base / "stderr").read_text(encoding="utf-8")[-4000:])
        return out

    def test_a_job_and_the_endpoint_of_its_model(self):
        base = self.opt_ml({"train": self.clips})
        out = self.must_train(base)
        lines = [line for line in out.splitlines() if line.startswith("epoch=")]
        self.assertEqual([int(re.match(r"epoch=(\d+) ", line)[1]) for line in lines], list(range(1, EPOCHS + 1)))
        for name in ("train_loss", "val_map", "val_loss"):
            self.assertRegex(lines[-1], rf" {name}=[0-9.e+-]+( |$)")
        self.assertRegex(out, r"(?m)^test_.*\btest_map=[0-9.e+-]+")
        for name in ("metrics.json", "report.html", "log.jsonl", "reeltag.log"):
            self.assertGreater((base / "output" / "data" / name).stat().st_size, 0, name)
        self.assertFalse((base / "output" / "failure").exists())
        self.assertTrue(list((base / "checkpoints" / "run" / "checkpoints").glob("*.safetensors")))
        with Serving(model=base / "model") as server:
            answer = server.invoke(next(self.clips.glob("*/*.mp4")).read_bytes(), "video/mp4")
            self.assertEqual(answer.status, 200, answer.body)
            self.assertEqual(answer.json()["model"], "job-7")

    def test_stopped_in_the_middle_and_started_again_it_ends_in_the_same_bits(self):
        undisturbed = self.opt_ml({"training": self.clips}, {"epochs": "8"})
        self.must_train(undisturbed)
        base = self.opt_ml({"training": self.clips}, {"epochs": "8"})
        process = self.start(base)
        self.assertTrue(process.stdout.readline().startswith("epoch=1 "))
        self.assertTrue(process.stdout.readline().startswith("epoch=2 "))
        time.sleep(0.1)
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(120), 143)
        self.assertLess(time.monotonic() - begin, 60)
        self.assertFalse((base / "model" / "bundle.json").exists(), "it was over before the signal came")
        self.assertFalse((base / "output" / "failure").exists(), "stopped is not failed")
        # The platform brings only the checkpoints to the next start.
        again = self.opt_ml({"training": self.clips}, {"epochs": "8"})
        shutil.rmtree(again / "checkpoints")
        shutil.copytree(base / "checkpoints", again / "checkpoints")
        out = self.must_train(again)
        self.assertNotIn("epoch=1 ", out)
        self.assertIn("epoch=8 ", out)
        self.assertEqual((again / "model" / "weights.safetensors").read_bytes(),
                         (undisturbed / "model" / "weights.safetensors").read_bytes())

    def test_channels_are_the_sides_of_the_split(self):
        sides = {name: self.folder / f"sides-{name}" for name in ("train", "validation", "test")}
        for label in (folder for folder in self.clips.iterdir() if folder.is_dir()):
            clips = sorted(label.glob("*.mp4"))
            for name, part in (("train", clips[:12]), ("validation", clips[12:16]), ("test", clips[16:])):
                (sides[name] / label.name).mkdir(parents=True)
                for clip in part:
                    shutil.copy(clip, sides[name] / label.name)
        base = self.opt_ml(sides, {"epochs": "1", "min_support": "1"})
        out = self.must_train(base)
        metrics = json.loads((base / "output" / "data" / "metrics.json").read_text(encoding="utf-8"))
        self.assertEqual(metrics["split"], "test")
        self.assertEqual(metrics["videos"], sum(1 for _ in sides["test"].glob("*/*.mp4")))
        self.assertIn("test_map=", out)

    def test_pipes_carry_archives_and_may_come_late(self):
        folder = self.opt_ml({"train": self.clips}, {"epochs": "1"})
        self.must_train(folder)
        base = self.opt_ml({"train": None}, {"epochs": "1"}, modes={"train": "Pipe"})

        def feed():
            time.sleep(1)
            pipe = base / "input" / "data" / "train_0"
            os.mkfifo(pipe)
            with pipe.open("wb") as stream:
                for label in sorted(self.clips.iterdir()):  # an archive a label, one behind the other
                    with tarfile.open(fileobj=stream, mode="w|") as archive:
                        archive.add(label, arcname=label.name)
        feeding = threading.Thread(target=feed)
        feeding.start()
        self.must_train(base)
        feeding.join()
        self.assertEqual((base / "model" / "weights.safetensors").read_bytes(),
                         (folder / "model" / "weights.safetensors").read_bytes())

    def test_of_several_hosts_the_first_brings_the_model(self):
        hosts = ("127.0.0.1", "localhost")  # names that resolve; the master stands first
        bases = [self.opt_ml({"train": self.clips}, {"epochs": "1"}, hosts=hosts, host=host) for host in hosts]
        jobs = [self.start(base) for base in bases]
        for job, base in zip(jobs, bases):
            job.communicate(timeout=WAIT_SECONDS)
            self.assertEqual(job.returncode, 0, (base / "stderr").read_text(encoding="utf-8")[-2000:])
        self.assertTrue((bases[0] / "model" / "bundle.json").is_file())
        self.assertEqual(list((bases[1] / "model").iterdir()), [])

    def test_frozen_features_by_hyperparameter(self):
        base = self.opt_ml({"train": self.clips})
        config = base / "input" / "config" / "hyperparameters.json"
        config.write_text(json.dumps({"frozen": "true", "blocks": "[image.mean]", "min_support": "4"}), encoding="utf-8")
        out = self.must_train(base)
        self.assertRegex(out, r"(?m)^val_.*\bval_map=")
        self.assertTrue((base / "model" / "image_encoder.pth").is_file(), "the model needs its frame net wherever it goes")

    def assertFails(self, base, status, *words):
        self.assertEqual(self.train(base)[0], status, (base / "stderr").read_text(encoding="utf-8")[-2000:])
        failure = (base / "output" / "failure").read_text(encoding="utf-8")
        self.assertLessEqual(len(failure), 1024)
        for word in words:
            self.assertIn(word, failure)
        self.assertEqual(list((base / "model").iterdir()), [])

    def test_wrong_hyperparameters_end_it_before_any_work(self):
        self.assertFails(self.opt_ml({"train": self.clips}, {"epoch": "3"}), 2, "hyperparameters.json", "epochs")
        self.assertFails(self.opt_ml({"train": self.clips}, {"epochs": "three"}), 2, "epochs")
        self.assertFails(self.opt_ml({"validation": self.clips}), 2, "train")
        self.assertFails(self.opt_ml({"train": self.clips}, hosts=("algo-2", "algo-3")), 2, "algo-1")

    def test_what_fails_on_the_way_is_the_reason(self):
        empty = self.folder / "empty"
        empty.mkdir(exist_ok=True)
        self.assertFails(self.opt_ml({"train": empty}), 1, "import")
        self.assertFails(self.opt_ml({"train": self.clips}, {"SOLVER.BASE_RATE": "1"}), 2, "SOLVER.BASE_RATE")
        long = "/".join(["x" * 99] * 30)
        self.assertFails(self.opt_ml({"train": self.clips}, {"recipe": f"config/{long}.yaml"}), 1, "train: ", "xxx")


if __name__ == "__main__":
    unittest.main()

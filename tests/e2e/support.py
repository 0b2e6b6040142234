"""What the end-to-end tests share: running the built program, making clips, training a tiny model."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(os.environ.get("REELTAG_ROOT", pathlib.Path(__file__).resolve().parents[2]))
PROGRAM = pathlib.Path(os.environ.get("REELTAG_BINARY", ROOT / "build" / "release" / "reeltag"))
MAKE_CLIPS = PROGRAM.with_name("make_clips")
ONE_CORE = ["--set", "train.threads=1", "--set", "train.decode_threads=1", "--set", "train.device=cpu"]

# A net that one epoch of a hundred clips trains in a second: 4 frames of 32 pixels.
TINY_RECIPE = """\
RNG_SEED: 0
MODEL: {MODEL_NAME: MViT, ARCH: mvit, NUM_CLASSES: 4, LOSS_FUNC: soft_cross_entropy, DROPOUT_RATE: 0.0}
MVIT:
  CLS_EMBED_ON: False
  USE_MEAN_POOLING: True
  PATCH_KERNEL: [3, 7, 7]
  PATCH_STRIDE: [2, 4, 4]
  PATCH_PADDING: [1, 3, 3]
  EMBED_DIM: 16
  NUM_HEADS: 1
  DEPTH: 2
  DIM_MUL: [[1, 2.0]]
  HEAD_MUL: [[1, 2.0]]
  POOL_Q_STRIDE: [[0, 1, 1, 1], [1, 1, 2, 2]]
  POOL_KV_STRIDE_ADAPTIVE: [1, 2, 2]
  POOL_KVQ_KERNEL: [3, 3, 3]
  RESIDUAL_POOLING: True
  DIM_MUL_IN_ATT: True
  REL_POS_SPATIAL: True
  REL_POS_TEMPORAL: True
  USE_ABS_POS: False
  DROPPATH_RATE: 0.1
DATA:
  NUM_FRAMES: 4
  INPUT_CHANNEL_NUM: [3]
  TRAIN_CROP_SIZE: 32
  TEST_CROP_SIZE: 32
  TRAIN_JITTER_SCALES_RELATIVE: [0.5, 1.0]
  TRAIN_JITTER_ASPECT_RELATIVE: [0.75, 1.3333]
  RANDOM_FLIP: True
  MEAN: [0.45, 0.45, 0.45]
  STD: [0.225, 0.225, 0.225]
SOLVER:
  OPTIMIZING_METHOD: adamw
  BASE_LR: 0.001
  LR_POLICY: cosine
  COSINE_AFTER_WARMUP: True
  COSINE_END_LR: 0.00001
  WARMUP_EPOCHS: 0.5
  WARMUP_START_LR: 0.0
  MAX_EPOCH: 2
  WEIGHT_DECAY: 0.05
  ZERO_WD_1D_PARAM: True
  CLIP_GRAD_L2NORM: 1.0
TRAIN: {BATCH_SIZE: 4, EVAL_PERIOD: 1, CHECKPOINT_PERIOD: 1}
REELTAG: {SAMPLER: uniform, SEGMENT_FRAMES: 2, LABEL_SMOOTHING: 0.1, SHORT_SIDE: 40, TEST_CROP_SHARE: 1.0}
"""


class Ended:
    """A finished command: status, stdout and stderr as text."""

    def __init__(self, command, status, out, err):
        self.command, self.status, self.out, self.err = command, status, out, err

    def json(self):
        """The one line of JSON that is all of stdout."""
        lines = self.json_lines()
        if len(lines) != 1:
            raise AssertionError(f"want one line of JSON on stdout, got {len(lines)}\n{self}")
        return lines[0]

    def json_lines(self):
        return self._parsed(self.out, "stdout")

    def err_lines(self):
        return self._parsed(self.err, "stderr")

    def errors(self):
        """{video: error} of the failed items on stderr; an error of the whole command has the key None."""
        return {line.get("video"): line["error"] for line in self.err_lines() if "error" in line}

    def _parsed(self, text, where):
        try:
            lines = [json.loads(line) for line in text.splitlines()]
        except json.JSONDecodeError as error:
            raise AssertionError(f"{where} holds a line that is not JSON: {error}\n{self}") from error
        if not all(isinstance(line, dict) for line in lines):
            raise AssertionError(f"{where} holds a line that is not an object\n{self}")
        return lines

    def __str__(self):
        return f"{' '.join(map(str, self.command))}\nstatus {self.status}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def environment(**more):
    """The caller's, without settings that would change what the program finds."""
    kept = {name: value for name, value in os.environ.items()
            if name not in ("REELTAG_HOME", "REELTAG_MODELS", "REELTAG_CONFIGS")}
    return {**kept, "OMP_NUM_THREADS": "1", **more}


def run(*arguments, home=None, timeout=600, program=PROGRAM, **more):
    """Runs reeltag; home becomes --home."""
    command = [program, *(["--home", home] if home else []), *arguments]
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout, check=False, env=environment(**more))
    return Ended(command, done.returncode, done.stdout, done.stderr)


def make_clips(out, **options):
    """make_clips(folder, set="look", classes=4): the names of options are those of the program."""
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    subprocess.run([str(MAKE_CLIPS), "--out", str(out), "--quiet", *words], check=True, capture_output=True, text=True)
    return sorted(pathlib.Path(out).glob("*/*.mp4"))


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True, capture_output=True,
                   text=True)


def train_tiny(home, clips, run_name="tiny", labels="single"):
    """Imports a folder of make_clips, freezes it and trains the tiny net on it. Returns the dataset's id."""
    recipe = pathlib.Path(home) / "tiny.yaml"
    recipe.parent.mkdir(parents=True, exist_ok=True)
    recipe.write_text(TINY_RECIPE, encoding="utf-8")
    must(run("import", clips, "--json", home=home))
    freeze = run("dataset", "freeze", "--labels", labels, "--min-support", "4", "--val", "20", "--test", "20", "--json",
                 home=home)
    dataset = must(freeze).json()["dataset"]
    must(run("train", "--recipe", recipe, "--run", run_name, *ONE_CORE, "--json", home=home))
    return dataset


def must(ended):
    if ended.status != 0:
        raise AssertionError(f"want status 0\n{ended}")
    return ended


class Case(unittest.TestCase):
    """One temporary folder for the class, removed at its end."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="reeltag-e2e-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)

    def assertStatus(self, ended, status):
        self.assertEqual(ended.status, status, str(ended))

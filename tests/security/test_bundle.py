"""A model that somebody else made: row "maker of a model" of docs/security.md."""
import json
import os
import pathlib
import resource
import shutil
import struct
import tempfile
import time
import unittest

import live  # noqa: F401
from support import ROOT, make_clips, run

STARTER = ROOT / "models" / "starter"
MOST_SECONDS, MOST_MEMORY = 10, 2 << 30


def head_of(path):
    """The header of a safetensors file, and what follows it."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + length]), data[8 + length:]


def put_head(path, head, rest):
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + rest)


def change_tensor(name, **changes):
    def change(bundle):
        head, rest = head_of(bundle / name)
        next(value for key, value in head.items() if key != "__metadata__").update(changes)
        put_head(bundle / name, head, rest)
    return change


def fill(name):
    def change(bundle):
        head, rest = head_of(bundle / name)
        put_head(bundle / name, head, b"\xff" * len(rest))  # not a number
    return change


def facts(**changes):
    def change(bundle):
        path = bundle / "bundle.json"
        known = json.loads(path.read_text())
        for key, value in changes.items():
            known[key] = {**known[key], **value} if isinstance(value, dict) else value
        path.write_text(json.dumps(known))
    return change


def hashtag(text):
    def change(bundle):
        words = json.loads((bundle / "bundle.json").read_text())["vocabulary"]
        facts(vocabulary=[text, *words[1:]])(bundle)
    return change


def recipe(old, new):
    def change(bundle):
        text = (bundle / "recipe.yaml").read_text()
        assert old in text, old
        (bundle / "recipe.yaml").write_text(text.replace(old, new))
    return change


def link(name, to):
    def change(bundle):
        (bundle / name).unlink()
        (bundle / name).symlink_to(to)
    return change


def pipe(name):
    def change(bundle):
        (bundle / name).unlink()
        os.mkfifo(bundle / name)
    return change


def write(name, data):
    return lambda bundle: (bundle / name).write_bytes(data)


def without_image_encoder(bundle):
    """The starter's net alone, so that its weights and recipe are read."""
    path = bundle / "bundle.json"
    known = json.loads(path.read_text())
    alone = known.pop("without_image_encoder")
    known.pop("image_encoder")
    path.write_text(json.dumps({**known, **alone, "blocks": ["mvit"]}))
    (bundle / "head.safetensors").unlink()


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12))

CASES = {  # what an attacker changes -> a word of the answer
    "a pipe for the facts": (pipe("bundle.json"), "bundle.json is no file"),
    "a pipe for the card": (pipe("card.md"), "card.md is no file"),
    "a device for the head": (link("head.safetensors", "/dev/zero"), "head.safetensors is no file"),
    "another file for the recipe": (link("recipe.yaml", "/etc/passwd"), "recipe.yaml"),
    "another file for the facts": (link("bundle.json", "/etc/passwd"), "bundle.json"),
    "levels without end": (write("bundle.json", b"[" * 2_000_000), "levels"),
    "aliases of aliases": (write("recipe.yaml", LAUGHS.encode()), "more than"),
    "a thousand million frames": (facts(image_encoder={"frames": 1_000_000_000}), "frames"),
    "no frame": (facts(image_encoder={"frames": 0}), "frames"),
    "another image encoder": (facts(image_encoder={"sha256": "../../etc/passwd"}), "image encoder"),
    "thresholds below zero": (facts(thresholds=[-5] * 42), "threshold"),
    "a hashtag that drives a terminal": (hashtag("a\x1b[2Jb"), "control characters"),
    "a hashtag that turns the text": (hashtag("a\u202eb"), "control characters"),
    "a hashtag of 5 MB": (hashtag("x" * 5_000_000), "1000 bytes"),
    "a name that drives a terminal": (facts(name="\x1b]0;x\x07"), "control characters"),
    "a head larger than any file": (change_tensor("head.safetensors", shape=[1 << 31, 1 << 31]), "head.safetensors"),
    "a head outside its file": (change_tensor("head.safetensors", data_offsets=[0, 1 << 62]), "head.safetensors"),
    "a head of no numbers": (fill("head.safetensors"), "no number"),
}
NET_CASES = {
    "a net as wide as a country": (recipe("EMBED_DIM: 32", "EMBED_DIM: 100000000"), "EMBED_DIM"),
    "a net without end": (recipe("DEPTH: 7", "DEPTH: 100000000"), "DEPTH"),
    "no heads": (recipe("NUM_HEADS: 1", "NUM_HEADS: 0"), "NUM_HEADS"),
    "two thousand million classes": (recipe("NUM_CLASSES: 42", "NUM_CLASSES: 2000000000"), "classes"),
    "weights larger than any file": (change_tensor("weights.safetensors", shape=[1 << 31, 1 << 31]), "weights.safetensors"),
    "weights outside their file": (change_tensor("weights.safetensors", data_offsets=[0, 1 << 62]), "weights.safetensors"),
    "a header longer than its file": (write("weights.safetensors", b"\xff" * 8 + b"{}"), "weights.safetensors"),
    "weights of no numbers": (fill("weights.safetensors"), "no numbers"),
}


class BundleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.place = pathlib.Path(folder.name)
        make_clips(cls.place / "clips", classes=1, clips_per_class=1)
        cls.clip = next((cls.place / "clips").rglob("*.mp4"))

    def bundle(self, *changes):
        folder = tempfile.TemporaryDirectory(dir=self.place)
        self.addCleanup(folder.cleanup)
        bundle = pathlib.Path(folder.name) / "bundle"
        shutil.copytree(STARTER, bundle)
        for change in changes:
            change(bundle)
        return bundle

    def refused(self, word, *command):
        """The program says why, soon, and without all memory."""
        begin = time.monotonic()
        done = run(*command, "--json", home=self.place / "home", timeout=60)
        self.assertLess(time.monotonic() - begin, MOST_SECONDS)
        self.assertIn(done.status, (1, 2, 3), done)
        self.assertLess(1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, MOST_MEMORY)
        self.assertIn(word, done.out + done.err)
        self.assertNotIn("root:", done.out + done.err)

    def test_a_model_made_by_an_attacker_tags_nothing(self):
        for name, (change, word) in CASES.items():
            with self.subTest(name):
                self.refused(word, "tag", self.clip, "--model", self.bundle(change))
        for name, (change, word) in NET_CASES.items():
            with self.subTest(name):
                self.refused(word, "tag", self.clip, "--model", self.bundle(without_image_encoder, change))
        self.assertEqual(run("tag", self.clip, "--model", self.bundle(without_image_encoder), home=self.place / "home").status, 0)

    def test_publishing_takes_no_file_from_elsewhere(self):
        secret = self.place / "secret"
        secret.write_text("secret")
        for name, change in {"a link": link("card.md", secret), "a link to weights": link("weights.safetensors", "/etc/passwd"),
                             "a pipe": pipe("bundle.json")}.items():
            with self.subTest(name):
                self.refused("is no file", "models", "publish", self.bundle(change), "--name", "theirs")
        self.assertFalse(list((self.place / "home").rglob("card.md")))


if __name__ == "__main__":
    unittest.main()

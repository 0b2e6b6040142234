"""`models import-checkpoint` and `models export`: Python's own files in, files for Python out, and nothing run on the way."""
import collections
import io
import os
import pathlib
import pickle
import struct
import unittest
import zipfile

import support
from support import ROOT, must, run
from torch_files import recipe_of, tensors_of, torch_zip, write_checkpoint

SHARED = os.environ.get("REELTAG_SHARED")
GOLDEN = ROOT / "tests" / "goldens" / "d02_v2_relpos_cls"


class Storage:
    def __init__(self, data):
        self.data = data


def rebuild(storage, offset, size, stride, requires_grad, hooks):
    """A contiguous float32 tensor as (shape, bytes); anything else is not what was promised."""
    expected, count = [], 1
    for n in reversed(size):
        expected.insert(0, count)
        count *= n
    assert tuple(stride) == tuple(expected), (size, stride)
    assert requires_grad is False and hooks == {}
    return tuple(size), storage.data[4 * offset:4 * (offset + count)]


class TorchUnpickler(pickle.Unpickler):
    """What torch.load(weights_only=True) does, without torch: three names are known and no other."""
    ALLOWED = {("collections", "OrderedDict"): collections.OrderedDict, ("torch._utils", "_rebuild_tensor_v2"): rebuild,
               ("torch", "FloatStorage"): "float32"}

    def __init__(self, archive):
        self.archive, self.folder = archive, archive.namelist()[0].split("/")[0]
        super().__init__(io.BytesIO(archive.read(f"{self.folder}/data.pkl")))

    def find_class(self, module, name):
        return self.ALLOWED[module, name]

    def persistent_load(self, saved_id):
        kind, storage_type, key, location, count = saved_id
        assert (kind, storage_type, location) == ("storage", "float32", "cpu"), saved_id
        data = self.archive.read(f"{self.folder}/data/{key}")
        assert len(data) == 4 * count
        return Storage(data)


def legacy(pickled):
    head = b"".join(pickle.dumps(part, protocol=2) for part in (
        0x1950a86a20f9469cfc6c, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}))
    return head + pickled + pickle.dumps([], protocol=2)


class Calls:
    """Pickles as a call of os.system."""

    def __init__(self, marker):
        self.command = f"touch {marker}"

    def __reduce__(self):
        return os.system, (self.command,)


def attacks(marker):
    command = f"touch {marker}".encode()
    text = b"X" + struct.pack("<I", len(command)) + command
    yield from ((f"reduce, protocol {p}", pickle.dumps({"model_state": Calls(marker)}, protocol=p)) for p in range(6))
    yield "inst", b"(S'" + command + b"'\nios\nsystem\n."
    yield "obj", b"(cos\nsystem\n" + text + b"o."
    yield "newobj", b"\x80\x02cos\nsystem\n" + text + b"\x85\x81."
    yield "stack global", b"\x80\x04\x8c\x05posix\x8c\x06system\x93" + text + b"\x85R."
    yield "build", b"\x80\x02ccollections\nOrderedDict\n)R}X\x0c\x00\x00\x00__setstate__cos\nsystem\nsb" + text + b"b."
    yield "extension code", b"\x80\x02\x82\x01" + text + b"\x85R."
    yield "builtins.eval", b"cbuiltins\neval\n(S'__import__(\"os\").system(\"" + command + b"\")'\ntR."
    yield "getattr", b"cbuiltins\ngetattr\n(cos\n__dict__\nS'system'\ntR(S'" + command + b"'\ntR."


class Refusals(support.Case):
    def test_a_pickle_that_calls_something_is_refused_and_nothing_runs(self):
        marker = self.folder / "it-ran"
        for how, pickled in attacks(marker):
            for container in (torch_zip, legacy):
                with self.subTest(how=how, container=container.__name__):
                    file = self.folder / "evil.pyth"
                    file.write_bytes(container(pickled))
                    done = run("models", "import-checkpoint", file, "--recipe", "MVITv2_XXS_8", "--json", home=self.folder)
                    self.assertEqual(done.status, 1, done)
                    (line,) = [line for line in done.err_lines() if "error" in line]
                    self.assertEqual(line["error"]["code"], "corrupt")
                    self.assertIn(str(file), line["error"]["message"])
                    if "extension" not in how:
                        self.assertRegex(line["error"]["message"], r"(os|posix|nt|builtins|__builtin__)\.\w+")
                    self.assertFalse(marker.exists())
                    self.assertFalse((self.folder / "models").exists())

    def test_what_is_no_checkpoint_is_said(self):
        good = torch_zip(pickle.dumps({"epoch": 1}, protocol=2))
        cases = {"empty.pyth": b"", "text.pyth": b"hello world", "cut.pyth": good[:-30], "nothing.pyth": good,
                 "deep.pyth": torch_zip(b"]" * 3_000_000 + b"."), "long.pyth": torch_zip(b"X\xff\xff\xff\x7fabc.")}
        for name, content in cases.items():
            with self.subTest(name):
                file = self.folder / name
                file.write_bytes(content)
                done = run("models", "import-checkpoint", file, "--recipe", "MVITv2_XXS_8", home=self.folder)
                self.assertEqual(done.status, 1, done)
                self.assertIn(name, done.err)


class RoundTrip(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.recipe = cls.folder / "d02.yaml"
        cls.recipe.write_text(recipe_of(GOLDEN), encoding="utf-8")
        cls.weights = tensors_of(GOLDEN)

    def python_checkpoint(self, name, weights, **more):
        return write_checkpoint(self.folder / name, weights, **more)

    def bring_in(self, file, *options, name="net"):
        return run("models", "import-checkpoint", file, "--name", name, "--json", *options, home=self.folder)

    def test_python_to_reeltag_to_python_keeps_every_bit(self):
        file = self.python_checkpoint("in.pyth", self.weights, epoch=4, cfg=self.recipe.read_text(encoding="utf-8"))
        report = must(self.bring_in(file, "--strict", name="back")).json()
        self.assertEqual(report["counts"]["loaded"], len(self.weights))
        self.assertEqual(sum(report["counts"].values()), len(self.weights))
        out = self.folder / "out.pyth"
        must(run("models", "export", "back", "-o", out, home=self.folder))
        with zipfile.ZipFile(out) as archive:
            self.assertIsNone(archive.testzip())
            loaded = TorchUnpickler(archive).load()
        self.assertIsInstance(loaded["model_state"], collections.OrderedDict)
        self.assertEqual(dict(loaded["model_state"]), self.weights)
        self.assertIsInstance(loaded["epoch"], int)
        self.assertIn("EMBED_DIM", loaded["cfg"])
        safe = self.folder / "out.safetensors"
        must(run("models", "export", "back", "-o", safe, home=self.folder))
        for again in (out, safe):
            report = must(self.bring_in(again, "--strict", name=f"again{again.suffix[1:]}")).json()
            self.assertEqual(report["counts"]["loaded"], len(self.weights))

    def test_the_imported_model_tags(self):
        file = self.python_checkpoint("tags.pyth", self.weights)
        names = self.folder / "names.txt"
        names.write_text("\n".join(f"doing thing {i}" for i in range(11)) + "\n", encoding="utf-8-sig")  # as Windows writes it
        must(self.bring_in(file, "--recipe", self.recipe, "--vocabulary", names, name="tagger"))
        (clip,) = support.make_clips(self.folder / "clip", set="look", classes=1, clips_per_class=1, seconds=1, size="64x64")
        (line,) = must(run("tag", "--model", "tagger", "--threshold", "0", "--json", clip, home=self.folder)).json_lines()
        self.assertEqual({tag["hashtag"] for tag in line["tags"]} - {f"doingthing{i}" for i in range(11)}, set())
        self.assertEqual(len(line["tags"]), 10)

    def test_what_does_not_fit_is_told_name_by_name(self):
        weights = {f"module.{name}": value for name, value in self.weights.items()}
        weights["module.head.projection.weight"] = ((3, 32), bytes(3 * 32 * 4))
        weights["module.extra"] = ((2,), bytes(8))
        del weights["module.norm.bias"]
        file = self.python_checkpoint("odd.pyth", weights)
        done = self.bring_in(file, "--recipe", self.recipe, name="odd")
        report = must(done).json()
        fates = {line["name"]: line for line in report["names"]}
        self.assertEqual(fates["head.projection.weight"]["fate"], "missing")
        self.assertEqual(fates["head.projection.weight"]["from"], [3, 32])
        self.assertEqual(fates["norm.bias"]["fate"], "missing")
        self.assertEqual(fates["extra"]["fate"], "unused")
        self.assertIn("classifier was not loaded", done.err)
        strict = self.bring_in(file, "--recipe", self.recipe, "--strict", name="strict")
        self.assertEqual(strict.status, 1)
        self.assertIn("2 missing, 1 unused", strict.err)
        self.assertFalse((self.folder / "models" / "strict").exists())

    def test_a_recipe_is_asked_for_where_the_file_names_none(self):
        done = self.bring_in(self.python_checkpoint("bare.pyth", self.weights))
        self.assertEqual(done.status, 2)
        self.assertIn("--recipe", done.err)

    @unittest.skipUnless(SHARED, "needs the reference's checkpoints (REELTAG_SHARED)")
    def test_the_references_own_training_checkpoints(self):
        folder = pathlib.Path(SHARED) / "goldens"
        training = must(self.bring_in(folder / "d02_checkpoint_epoch_00005.pyth", name="zip")).json()
        self.assertEqual((training["format"], training["counts"]["missing"]), ("torch zip", 0))
        old = must(self.bring_in(folder / "d02_legacy_format.pyth", "--recipe", self.recipe, "--strict", name="old")).json()
        self.assertEqual(old["format"], "torch legacy")
        out = self.folder / "legacy.pyth"
        must(run("models", "export", "old", "-o", out, home=self.folder))
        with zipfile.ZipFile(out) as archive:
            self.assertEqual(dict(TorchUnpickler(archive).load()["model_state"]), self.weights)


if __name__ == "__main__":
    unittest.main()

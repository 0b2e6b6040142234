"""`reeltag models`: what it says about the shipped recipes, and reference vectors through the built net."""
import json
import math
import re
import shutil
import struct
import unittest

import support
from support import ROOT, must, run

CONFIGS = ROOT / "configs"
GOLDENS = ROOT / "tests" / "goldens"


def meta_of(path):
    """The plain `key: value` lines of a recipe's .meta.yml."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(re.match(r"([a-z_]+):\s*(.*)", line).groups() for line in lines if re.match(r"[a-z_]+:", line))


class Describe(support.Case):
    def test_every_shipped_recipe_has_the_parameters_of_its_table(self):
        shipped = sorted(CONFIGS.rglob("*.yaml"))
        self.assertGreaterEqual(len(shipped), 34)  # the reference's 31 and ours
        for recipe in shipped:
            name = recipe.relative_to(CONFIGS).with_suffix("").as_posix()
            with self.subTest(recipe=name):
                meta = meta_of(recipe.with_name(recipe.stem + ".meta.yml"))
                plan = must(run("models", "describe", recipe, "--json", home=self.folder)).json()
                if "the paper says" in meta.get("note", ""):  # a rounded figure
                    self.assertAlmostEqual(plan["parameters"] / int(meta["parameters"]), 1.0, delta=0.002)
                else:
                    self.assertEqual(plan["parameters"], int(meta["parameters"]))
                if "multiply_adds_g" in meta:
                    self.assertTrue(math.isclose(plan["multiply_adds"] / 1e9, float(meta["multiply_adds_g"]),
                                                 rel_tol=1e-4, abs_tol=6e-4), plan["multiply_adds"])
                self.assertEqual(plan["stages"][0]["blocks"][0], 0)
                for stage in plan["stages"]:
                    self.assertEqual(stage["width"] % stage["heads"], 0)
                    self.assertEqual(len(stage["grid"]), 3)

    def test_a_shipped_name_finds_its_file(self):
        by_name = must(run("models", "describe", "Kinetics/MVITv2_S_16x4", "--json", home=self.folder)).json()
        by_file = must(run("models", "describe", CONFIGS / "Kinetics" / "MVITv2_S_16x4.yaml", "--json",
                           home=self.folder)).json()
        by_name.pop("name"), by_file.pop("name")
        self.assertEqual(by_name, by_file)

    def test_recipes_lists_what_is_in_the_tree(self):
        listed = {line["name"] for line in must(run("models", "recipes", "--json", home=self.folder)).json_lines()}
        in_tree = {path.relative_to(CONFIGS).with_suffix("").as_posix() for path in CONFIGS.rglob("*.yaml")}
        self.assertEqual(listed, in_tree)

    def test_an_unknown_recipe_and_an_unknown_key_are_explained(self):
        done = run("models", "describe", "MVITv2_S_16x5", home=self.folder)
        self.assertStatus(done, 1)
        self.assertIn("MVITv2_S_16x4", done.err)
        recipe = self.folder / "wrong.yaml"
        recipe.write_text("MVIT:\n  EMBED_DIM: 32\n  DEPHT: 4\n", encoding="utf-8")
        done = run("models", "describe", recipe, home=self.folder)
        self.assertStatus(done, 2)
        for word in ("wrong.yaml:3", "DEPHT", "DEPTH"):
            self.assertIn(word, done.err)


class Verify(support.Case):
    def test_the_reference_vectors_match(self):
        goldens = sorted(GOLDENS.glob("*.json"))
        self.assertGreaterEqual(len(goldens), 5)
        done = must(run("models", "verify", *goldens, "--json", home=self.folder))
        lines = done.json_lines()
        self.assertEqual([line["name"] for line in lines], [path.stem for path in goldens])
        for line in lines:
            self.assertIs(line["passed"], True, line)
            self.assertLessEqual(line["max_abs"], line["tolerance"])
            self.assertLessEqual(line["tolerance"], 2e-5)
            self.assertGreater(line["checks"], 1)
            self.assertEqual(line["failed"], [])

    def test_a_changed_number_is_found(self):
        name = "d03_v2_nocls_heads2"
        for suffix in (".json", ".safetensors"):
            shutil.copy(GOLDENS / (name + suffix), self.folder)
        must(run("models", "verify", self.folder / (name + ".json"), "--json", home=self.folder))
        tensor, position = self.change_one_number(self.folder / (name + ".safetensors"))
        done = run("models", "verify", self.folder / (name + ".json"), "--json", home=self.folder)
        self.assertStatus(done, 1)
        line = done.json()
        self.assertIs(line["passed"], False)
        self.assertTrue(line["failed"], f"{tensor}[{position}] was changed")
        people = run("models", "verify", self.folder / (name + ".json"), home=self.folder)
        self.assertStatus(people, 1)
        self.assertIn("FAILED", people.out)

    def change_one_number(self, path):
        """Adds 0.01 to the first number of the logits. Returns what was changed."""
        content = bytearray(path.read_bytes())
        (length,) = struct.unpack_from("<Q", content)
        header = json.loads(content[8:8 + length])
        (tensor,) = [key for key in header if key == "logits"]
        self.assertEqual(header[tensor]["dtype"], "F32")
        at = 8 + length + header[tensor]["data_offsets"][0]
        (value,) = struct.unpack_from("<f", content, at)
        struct.pack_into("<f", content, at, value + 0.01)
        path.write_bytes(content)
        return tensor, 0

    def test_a_vector_cut_short_is_refused(self):
        name = "d10_meanpool_cls_sigmoid"
        shutil.copy(GOLDENS / f"{name}.json", self.folder)
        content = (GOLDENS / f"{name}.safetensors").read_bytes()
        (self.folder / f"{name}.safetensors").write_bytes(content[:len(content) // 2])
        done = run("models", "verify", self.folder / f"{name}.json", "--json", home=self.folder)
        self.assertStatus(done, 1)
        self.assertIn(f"{name}.safetensors", done.errors()[None]["message"])
        both = run("models", "verify", self.folder / f"{name}.json", GOLDENS / "d03_v2_nocls_heads2.json", "--json",
                   home=self.folder)
        self.assertStatus(both, 3)
        self.assertEqual([line["passed"] for line in both.json_lines()], [True])
        (failed,) = both.err_lines()
        self.assertEqual(failed["golden"], str(self.folder / f"{name}.json"))


if __name__ == "__main__":
    unittest.main()

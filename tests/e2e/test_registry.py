"""`models publish`, `promote`, `rollback`, `remove`, `list`, `show`: versions that never change and aliases that name them.

Promotion loads the model with libtorch in a program of its own. Where that program's answer is what a test is about, a
small one stands beside a copy of reeltag; WithLibtorch uses the built one.
"""
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import unittest

import support
from support import ROOT, must, run

STARTER = ROOT / "models" / "starter"


def make_bundle(folder, name):
    """The starter's files under another name, so that they are other bytes."""
    shutil.copytree(STARTER, folder)
    described = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    described["name"] = name
    (folder / "bundle.json").write_text(json.dumps(described), encoding="utf-8")
    (folder / "card.md").write_text(f"# Card of {name}\n\u001b[2Jno colours\u009b31m\n", encoding="utf-8")
    return folder


def change(path, how):
    """Read-only files are changed as somebody would who wants to."""
    path.chmod(0o644)
    path.write_bytes(how(path.read_bytes()))


class Registry(support.Case):
    """A home of its own for each test, three bundles for all, and a program that loads whatever it is told to."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bundles = {name: make_bundle(cls.folder / name, name) for name in ("one", "two", "three")}
        cls.program = cls.folder / "bin" / "reeltag"
        cls.program.parent.mkdir()
        shutil.copy2(support.PROGRAM, cls.program)

    def setUp(self):
        self.home = self.folder / self.id().rsplit(".", 1)[1]
        self.when_loaded("exit 0")

    def when_loaded(self, script):
        """What happens instead of loading the model, which is the last argument."""
        loader = self.program.with_name("reeltag-torch")
        loader.write_text(f'#!/bin/sh\necho "$@" >> "{self.folder}/loaded"\n{script}\n', encoding="utf-8")
        loader.chmod(0o755)

    def models(self, *arguments):
        return run("models", *arguments, "--json", home=self.home, program=self.program)

    def publish(self, name, *more):
        return must(self.models("publish", self.bundles[name], *more)).json()

    def promote(self, *arguments):
        return must(self.models("promote", *arguments)).json()

    def champion(self):
        return must(self.models("show", "hashtags")).json()["aliases"].get("champion")

    def refused(self, status, code, *arguments):
        done = self.models(*arguments)
        self.assertStatus(done, status)
        error = done.errors()[None]
        self.assertEqual(error["code"], code, error)
        return error["message"]


class Publishing(Registry):
    def test_a_bundle_becomes_a_version_with_its_origin(self):
        made = self.publish("one", "--by", "ann", "--why", "first")
        self.assertEqual((made["version"], made["by"], made["already"], made["bundle"]), ("hashtags/1", "ann", False, "one"))
        self.assertEqual((made["run"], made["dataset"]), ("starter", "6417a2a29bb6d5af"))
        self.assertEqual(len(made["hashtags"]), 42)
        folder = pathlib.Path(made["folder"])
        self.assertEqual(folder, self.home / "models" / "hashtags" / "1")
        for path in self.bundles["one"].iterdir():
            self.assertEqual((folder / path.name).read_bytes(), path.read_bytes())
            self.assertEqual(stat.S_IMODE((folder / path.name).stat().st_mode), 0o444)
        shown = must(self.models("show", "hashtags/1")).json()
        self.assertEqual(shown["digest"], made["digest"])
        self.assertIn("# Card of one", shown["card"])
        self.assertIn("MVIT", shown["recipe"])
        self.assertEqual([line["act"] for line in shown["history"]], ["publish"])
        self.assertEqual(shown["history"][0]["why"], "first")
        self.assertRegex(shown["at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_the_same_files_are_the_same_version(self):
        first = self.publish("one")
        self.assertEqual(self.publish("two")["version"], "hashtags/2")
        again = self.publish("one")
        self.assertEqual((again["version"], again["digest"], again["already"]), ("hashtags/1", first["digest"], True))
        self.assertEqual(self.publish("one", "--name", "street")["version"], "street/1")
        self.assertEqual(len(must(self.models("show", "hashtags")).json()["versions"]), 2)

    def test_a_run_comes_with_its_figures(self):
        run_folder = self.home / "runs" / "mine"
        make_bundle(run_folder / "bundle", "mine")
        metrics = {"model": "mine", "dataset": "d1", "split": "test", "videos": 186, "top1": 0.543, "map": 0.465,
                   "classes": [{"hashtag": "x"}]}
        (run_folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
        made = must(self.models("publish", "mine")).json()
        self.assertEqual(made["figures"], {"dataset": "d1", "split": "test", "videos": 186, "top1": 0.543, "map": 0.465})
        people = must(run("models", "list", home=self.home))
        self.assertIn("top-1 54.3 %, mAP 46.5 % on 186 test videos of d1", people.out)

    def test_what_cannot_be_published(self):
        self.refused(1, "not_found", "publish", self.folder / "none")
        for name in ("..", "a/b", "-x", "3", "caf\u00e9", "\U0001f63a", "a" * 5000):
            self.refused(2, "invalid_argument", "publish", self.bundles["one"], f"--name={name}")
        self.assertFalse((self.home / "models").exists())
        cut = make_bundle(self.folder / "cut", "cut")
        (cut / "recipe.yaml").unlink()
        self.refused(1, "not_found", "publish", cut)
        self.assertFalse((self.home / "models").exists())

    def test_a_changed_file_is_named_by_whoever_reads_it(self):
        folder = pathlib.Path(self.publish("one")["folder"])
        self.promote("1")
        change(folder / "weights.safetensors", lambda old: old[:-1] + bytes([old[-1] ^ 1]))
        for arguments in (("show", "1"), ("promote", "1", "--alias", "shadow"), ("publish", "champion", "--name", "x"),
                          ("publish", self.bundles["one"])):
            self.assertIn("1/weights.safetensors", self.refused(1, "corrupt", *arguments))
        change(folder / "version.json", lambda old: old.replace(b"starter", b"starved"))
        listed = self.models("list")
        self.assertStatus(listed, 3)
        self.assertIn("version.json", listed.err)
        self.assertEqual(listed.json()["models"][0]["versions"][0]["error"]["code"], "corrupt")


class Promoting(Registry):
    def test_champion_challenger_and_back(self):
        for name in ("one", "two", "three"):
            self.publish(name)
        moved = self.promote("hashtags/1", "--by", "ann", "--why", "first")
        self.assertEqual((moved["alias"], moved["version"], moved["from"]), ("champion", 1, 0))
        self.promote("3", "--alias", "challenger")
        self.promote("2", "--alias", "my-own")
        self.promote("challenger", "--why", "won")
        self.assertEqual(must(self.models("show", "hashtags")).json()["aliases"],
                         {"challenger": 3, "champion": 3, "my-own": 2})
        self.assertTrue(self.promote("3")["already"])
        self.promote("hashtags@my-own", "--from", "3")
        back = [must(self.models("rollback", "--why", "worse")).json()["version"] for _ in range(2)]
        self.assertEqual(back, [3, 1])
        self.assertIn("no version before", self.refused(1, "not_found", "rollback"))
        history = must(self.models("show", "champion")).json()["history"]
        self.assertEqual([line["act"] for line in history], ["publish", "promote", "promote", "rollback"])
        self.assertEqual((history[1]["by"], history[1]["why"]), ("ann", "first"))
        self.assertRegex(history[2]["by"], ".+@.+")

    def test_every_way_to_name_a_version(self):
        for name in ("one", "two"):
            self.publish(name)
        self.promote("2")
        digest = must(self.models("show", "2")).json()["digest"]
        for number, text in enumerate(("champion", "hashtags", "hashtags@champion", "models:/hashtags@champion",
                                       "hashtags/2", "models:/hashtags/2", "models:/hashtags")):
            with self.subTest(text=text):
                made = must(self.models("publish", text, "--name", f"copy{number}")).json()
                self.assertEqual(made["digest"], digest)
        self.assertEqual(must(self.models("list")).json()["default"], "hashtags/2")
        self.refused(1, "not_found", "publish", "hashtags@shadow", "--name", "x")
        self.refused(1, "not_found", "publish", "models:/hashtags/7", "--name", "x")
        self.refused(2, "invalid_argument", "publish", "models:/../hashtags/2", "--name", "x")

    def test_aliases_that_cannot_be(self):
        self.publish("one")
        for alias in ("latest", "v1", "Champion", "a b", "../x", "\u00e9", "a" * 5000):
            self.refused(2, "invalid_argument", "promote", "1", f"--alias={alias}")
        self.refused(1, "not_found", "promote", "2")
        self.refused(1, "not_found", "promote", "champion")

    def test_a_version_that_does_not_load_is_refused(self):
        self.publish("one")
        self.publish("two")
        self.promote("1")
        self.when_loaded("""echo '{"error":{"code":"corrupt","message":"the weights lack head.bias"}}' >&2; exit 1""")
        self.assertIn("the weights lack head.bias", self.refused(1, "corrupt", "promote", "2"))
        self.when_loaded("kill -9 $$")
        self.assertIn("killed", self.refused(1, "unavailable", "promote", "2"))
        self.when_loaded("kill -SEGV $$")
        self.assertIn("signal 11", self.refused(1, "unavailable", "promote", "2"))
        self.program.with_name("reeltag-torch").unlink()
        self.assertIn("libtorch", self.refused(1, "not_found", "promote", "2"))
        self.assertStatus(self.models("promote", "2", "--force"), 2)
        self.assertEqual(self.champion(), 1)
        asked = (self.folder / "loaded").read_text(encoding="utf-8").splitlines()[-1]
        self.assertTrue(asked.endswith(f"models check {self.home}/models/hashtags/2"), asked)

    def test_of_two_that_promote_at_once_one_wins(self):
        for name in ("one", "two", "three"):
            self.publish(name)
        self.promote("1", "--from", "none")
        self.when_loaded("sleep 0.3")
        command = [self.program, "--home", self.home, "--json", "models", "promote", "--from", "1"]
        both = [subprocess.Popen([*map(str, command), version], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 env=support.environment()) for version in ("2", "3")]
        ends = [(process.communicate(timeout=60), process.returncode) for process in both]
        self.assertEqual(sorted(status for _, status in ends), [0, 1], ends)
        (lost,) = [err for (_, err), status in ends if status == 1]
        self.assertIn("somebody else was faster", json.loads(lost.splitlines()[-1])["error"]["message"])
        shown = must(self.models("show", "hashtags")).json()
        self.assertEqual([line["act"] for line in shown["history"]], ["publish"] * 3 + ["promote"] * 2)
        self.assertEqual(shown["aliases"]["champion"], shown["history"][-1]["version"])

    def test_removing(self):
        for name in ("one", "two"):
            self.publish(name)
        self.promote("2")
        self.assertIn("champion", self.refused(1, "already_exists", "remove", "hashtags/2"))
        self.assertEqual(must(self.models("remove", "1", "--why", "old")).json(), {"removed": "hashtags/1"})
        self.assertFalse((self.home / "models" / "hashtags" / "1").exists())
        self.assertIn("was removed", self.refused(1, "not_found", "show", "hashtags/1"))
        shown = must(self.models("show", "hashtags")).json()
        self.assertEqual([version["version"] for version in shown["versions"]], ["hashtags/2"])
        self.assertEqual((shown["history"][-1]["act"], shown["history"][-1]["why"]), ("remove", "old"))
        self.assertEqual(self.publish("one")["version"], "hashtags/3")


class Listing(Registry):
    def test_without_a_registry_the_starter_tags(self):
        listed = must(self.models("list")).json()
        self.assertEqual((listed["models"], listed["default"]), ([], "starter"))
        self.assertEqual(listed["starter"]["folder"], str(STARTER))
        self.assertEqual(len(listed["starter"]["hashtags"]), 42)
        self.assertIn("42 hashtags", must(run("models", "list", home=self.home)).out)
        self.assertFalse((self.home / "models").exists())

    def test_words_for_people(self):
        self.publish("one", "--why", "a\u001b[2Jb")
        self.promote("1", "--by", "ann", "--why", "better")
        listed = must(run("models", "list", home=self.home)).out
        self.assertRegex(listed, r"(?m)^  1 +champion +\d{4}-\S+  starter, 42 hashtags$")
        self.assertIn("tags where no --model is given: hashtags/1", listed)
        shown = must(run("models", "show", "champion", home=self.home)).out
        self.assertRegex(shown, r"promote hashtags/1 as champion  by ann: better")
        self.assertIn("# Card of one", shown)
        named = must(run("models", "show", "hashtags", home=self.home)).out
        for out in (listed, shown, named):
            self.assertIsNone(re.search("[\u0000-\u0009\u000b-\u001f\u007f-\u009f]", out))

    def test_a_history_with_a_hole_is_named_and_the_others_listed(self):
        for name in ("one", "two"):
            self.publish(name)
        self.publish("one", "--name", "street")
        history = self.home / "models" / "hashtags" / "history.jsonl"
        history.write_text(history.read_text(encoding="utf-8").splitlines()[1] + "\n", encoding="utf-8")
        done = self.models("list")
        self.assertStatus(done, 3)
        self.assertIn("history.jsonl:1", done.err)
        self.assertEqual([model["name"] for model in done.json()["models"]], ["street"])


class WithLibtorch(support.Case):
    """The built program loads what it promotes, and tags with what was promoted."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.folder / "home"
        for name in ("one", "two"):
            must(run("models", "publish", make_bundle(cls.folder / name, name), "--json", home=cls.home))
        cls.clip = support.make_clips(cls.folder / "clips", set="look", classes=2, clips_per_class=1, seconds=1)[0]

    def tagged_by(self, *arguments):
        return must(run("tag", self.clip, *arguments, "--json", home=self.home)).json()["model"]

    def test_the_champion_tags(self):
        self.assertEqual(self.tagged_by(), "starter")
        must(run("models", "promote", "1", home=self.home))
        must(run("models", "promote", "2", "--alias", "challenger", home=self.home))
        self.assertEqual(self.tagged_by(), "one")
        for text in ("challenger", "hashtags@challenger", "hashtags/2", "models:/hashtags@challenger"):
            self.assertEqual(self.tagged_by("--model", text), "two", text)
        self.assertEqual(self.tagged_by("--model", "starter"), "starter")
        must(run("models", "promote", "2", home=self.home))
        self.assertEqual(self.tagged_by(), "two")
        must(run("models", "rollback", home=self.home))
        self.assertEqual(self.tagged_by(), "one")
        out = self.folder / "exported"
        must(run("models", "export", "hashtags/2", "-o", out, home=self.home))
        self.assertEqual(self.tagged_by("--model", out), "two")

    def test_weights_that_do_not_load_are_refused(self):
        broken = make_bundle(self.folder / "broken", "broken")
        for name in ("weights.safetensors", "head.safetensors"):
            os.truncate(broken / name, 1000)
        made = must(run("models", "publish", broken, "--name", "broken", "--json", home=self.home)).json()
        done = run("models", "promote", made["version"], "--json", home=self.home)
        self.assertStatus(done, 1)
        self.assertIn("safetensors", done.errors()[None]["message"])
        self.assertEqual(must(run("models", "show", "broken", "--json", home=self.home)).json()["aliases"], {})


if __name__ == "__main__":
    unittest.main()

"""`models fetch`: from a server on loopback to a model that tags, through cuts, kills and files that are something else."""
import hashlib
import json
import signal
import subprocess
import threading
import time
import unittest

import support
from support import ROOT, must, run
from torch_files import recipe_of, tensors_of, torch_zip, write_checkpoint
from weights_site import ALLOW, Site

GOLDEN = ROOT / "tests" / "goldens" / "d02_v2_relpos_cls"
CLASSES = 11


class Fetch(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.site = cls.enterClassContext(Site())
        zoo = cls.folder / "zoo"
        zoo.mkdir()
        (zoo / "d02.yaml").write_text(recipe_of(GOLDEN), encoding="utf-8")
        (zoo / "names.txt").write_text("".join(f"doing thing {i}\n" for i in range(CLASSES)), encoding="utf-8")
        (zoo / "few.txt").write_text("one\ntwo\n", encoding="utf-8")
        cls.weights = tensors_of(GOLDEN)
        cls.content = write_checkpoint(cls.folder / "d02.pyth", cls.weights).read_bytes()
        cls.sha256 = hashlib.sha256(cls.content).hexdigest()
        cls.site.files["/d02.pyth"] = cls.content
        cls.most = len(cls.content) * 2 // 3
        entries = {"small": {"vocabulary": "names.txt", "trained_on": "eleven things", "top1": 12.5, "views": "1x1"},
                   "unnamed": {}, "pinned": {"sha256": "0" * 64}, "miscounted": {"vocabulary": "few.txt"}}
        cls.zoo = zoo / "own.yml"
        cls.zoo.write_text(json.dumps({name: {"recipe": "d02.yaml", "url": cls.site.url("d02.pyth"), **more}
                                       for name, more in entries.items()}), encoding="utf-8")

    def setUp(self):
        self.site.reset()
        self.home = self.folder / self.id().rsplit(".", 1)[1]

    def fetch(self, *arguments, **more):
        return run("models", "fetch", *arguments, "--zoo", self.zoo, *ALLOW, "--json", home=self.home, **more)

    def error(self, done, status=1):
        self.assertStatus(done, status)
        return done.errors()[None]

    def kept(self):
        return sorted(path.name for path in (self.home / "downloads").glob("*"))

    def test_published_weights_become_a_model_that_tags(self):
        result = must(self.fetch("small")).json()
        folder = self.home / "models" / "small"
        self.assertEqual(result, {
            "model": "small", "folder": str(folder), "url": self.site.url("d02.pyth"), "sha256": self.sha256,
            "bytes": len(self.content), "resumed": 0, "already": False,
            "counts": {"loaded": len(self.weights), "resampled": 0, "converted": 0, "missing": 0, "unused": 0}})
        bundle = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
        self.assertEqual(bundle["vocabulary"], [f"doingthing{i}" for i in range(CLASSES)])
        self.assertEqual(bundle["trained"], {"imported": "d02.pyth", "naming": "PySlowFast", "url": self.site.url("d02.pyth"),
                                             "sha256": self.sha256, "bytes": len(self.content)})
        self.assertEqual(self.kept(), [])
        (clip,) = support.make_clips(self.folder / "clip", set="look", classes=1, clips_per_class=1, seconds=1,
                                     size="64x64")
        line = must(run("tag", "--model", "small", "--threshold", "0", "--json", clip, home=self.home)).json()
        self.assertEqual({tag["hashtag"] for tag in line["tags"]} - set(bundle["vocabulary"]), set())
        self.assertTrue(line["tags"])

        seen = len(self.site.seen)
        again = must(self.fetch("small", "--sha256", self.sha256.upper())).json()
        self.assertEqual((again["already"], again["sha256"], again["resumed"]), (True, self.sha256, 0))
        self.assertEqual(self.error(self.fetch("small", "--sha256", "1" * 64))["code"], "already_exists")
        self.assertEqual(len(self.site.seen), seen)

    def test_after_a_cut_the_next_call_fetches_only_the_rest(self):
        self.site.cut = self.most
        first = self.error(self.fetch("small"))
        self.assertEqual(first["code"], "unavailable")
        self.assertIn("goes on from there", first["message"])
        self.assertEqual(self.kept(), ["small.json", "small.part"])
        self.assertFalse((self.home / "models").exists())
        (line,) = [line for line in self.fetch("--list").json_lines() if line["name"] == "small"]
        self.assertEqual(line["state"], "begun")
        self.site.cut = None
        result = must(self.fetch("small")).json()
        self.assertEqual((result["resumed"], result["sha256"]), (self.most, self.sha256))
        self.assertEqual(self.site.sent, len(self.content))
        self.assertEqual(self.site.seen, [("/d02.pyth", None), ("/d02.pyth", f"bytes={self.most}-")])

    def ended_in_the_middle(self, number):
        self.site.cut, self.site.hold = self.most, threading.Event()
        command = [support.PROGRAM, "--home", self.home, "models", "fetch", "small", "--zoo", self.zoo, *ALLOW]
        with subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              env=support.environment(), text=True) as process:
            part = self.home / "downloads" / "small.part"
            until = time.monotonic() + 60
            while not (part.exists() and part.stat().st_size == self.most) and time.monotonic() < until:
                time.sleep(0.02)
            self.assertEqual(part.stat().st_size, self.most)
            process.send_signal(number)
            process.communicate(timeout=60)
        self.site.hold.set()
        self.site.cut = self.site.hold = None
        self.assertEqual(must(self.fetch("small")).json()["resumed"], self.most)
        self.assertEqual(self.site.sent, len(self.content))
        return process.returncode

    def test_a_killed_call_loses_nothing(self):
        self.assertEqual(self.ended_in_the_middle(signal.SIGKILL), -signal.SIGKILL)

    def test_nor_does_an_interrupted_one(self):
        self.assertEqual(self.ended_in_the_middle(signal.SIGINT), 130)

    def test_another_file_than_promised_is_refused_and_removed(self):
        for arguments in (["small", "--sha256", "1" * 64], ["pinned"]):
            error = self.error(self.fetch(*arguments))
            self.assertEqual(error["code"], "corrupt")
            self.assertIn(self.sha256, error["message"])
            self.assertEqual(self.kept(), [])
        self.assertFalse((self.home / "models").exists())
        self.assertEqual(self.error(self.fetch("small", "--sha256", "abc"), 2)["code"], "invalid_argument")
        must(self.fetch("pinned", "--sha256", self.sha256))

    def test_a_page_in_place_of_weights_is_said_to_be_one(self):
        page = b"<!doctype html><html><body>Sign in</body></html>"
        self.site.files.update({"/page": page, "/page.pyth": page})
        self.site.types["/page"] = "text/html; charset=utf-8"
        error = self.error(self.fetch("small", "--url", self.site.url("page")))
        self.assertEqual(error["code"], "unsupported")
        self.assertIn("web page", error["message"])
        error = self.error(self.fetch("small", "--url", self.site.url("page.pyth")))
        self.assertEqual(error["code"], "corrupt")
        self.assertIn(f"remove {self.home / 'downloads' / 'small'}", error["message"])
        self.assertFalse((self.home / "models").exists())
        must(self.fetch("small"))  # the right address is another download

    def test_weights_of_another_net_are_refused_with_the_report(self):
        changed = dict(self.weights)
        del changed["norm.bias"]
        changed["head.projection.weight"] = ((3, 32), bytes(3 * 32 * 4))
        changed["extra"] = ((2,), bytes(8))
        self.site.files["/changed.pyth"] = write_checkpoint(self.folder / "changed.pyth", changed).read_bytes()
        done = self.fetch("small", "--url", self.site.url("changed.pyth"))
        message = self.error(done)["message"]
        self.assertIn("2 missing, 1 unused", message)
        self.assertIn("norm.bias: not in the file", message)
        self.assertIn("[3,32] -> [11,", message)
        fates = {line["name"]: line["fate"] for line in done.json()["names"]}
        self.assertEqual((fates["norm.bias"], fates["extra"]), ("missing", "unused"))
        self.assertFalse((self.home / "models").exists())
        self.assertEqual(self.kept(), ["small", "small.json"])
        sent = self.site.sent
        self.error(self.fetch("small", "--url", self.site.url("changed.pyth")))
        self.assertEqual(self.site.sent, sent)

        plain = run("models", "fetch", "small", "--url", self.site.url("changed.pyth"), "--zoo", self.zoo, *ALLOW, home=self.home)
        self.assertStatus(plain, 1)
        self.assertRegex(plain.out, r"missing\s+norm\.bias: not in the file")

        other = {name: ((2,), bytes(8)) for name in ("conv1.weight", "fc.bias")}
        self.site.files["/other.pyth"] = write_checkpoint(self.folder / "other.pyth", other).read_bytes()
        self.assertIn("none of its 2 names", self.error(self.fetch("small", "--url", self.site.url("other.pyth")))["message"])

    def test_more_than_the_net_has_is_taken(self):
        more = {**self.weights, "hogs.0.weight_x": ((2,), bytes(8))}
        self.site.files["/more.pyth"] = write_checkpoint(self.folder / "more.pyth", more).read_bytes()
        counts = must(self.fetch("small", "--url", self.site.url("more.pyth"))).json()["counts"]
        self.assertEqual((counts["loaded"], counts["unused"]), (len(self.weights), 1))

    def test_a_mirrors_signature_is_not_remembered(self):
        result = must(self.fetch("small", "--url", self.site.url("d02.pyth?signature=secret"))).json()
        self.assertEqual(result["url"], self.site.url("d02.pyth"))
        self.assertNotIn("secret", (self.home / "models" / "small" / "bundle.json").read_text(encoding="utf-8"))

    def test_classes_without_names_are_numbered_or_named_by_the_caller(self):
        done = must(run("models", "fetch", "unnamed", "--zoo", self.zoo, *ALLOW, home=self.home))
        self.assertIn("fine-tune", done.out)
        bundle = json.loads((self.home / "models" / "unnamed" / "bundle.json").read_text(encoding="utf-8"))
        self.assertEqual(bundle["vocabulary"][-1], f"class_{CLASSES - 1:04}")
        self.site.reset()
        for arguments in (["miscounted"], ["small", "--vocabulary", self.zoo.with_name("few.txt")]):
            self.assertIn("names 2 classes, the net has 11", self.error(self.fetch(*arguments), 2)["message"])
        self.assertEqual(self.site.seen, [])
        must(self.fetch("miscounted", "--vocabulary", self.zoo.with_name("names.txt")))

    def test_private_addresses_are_refused_where_nobody_allowed_them(self):
        done = run("models", "fetch", "small", "--zoo", self.zoo, "--json", home=self.home)
        self.assertEqual(self.error(done)["code"], "permission_denied")
        self.assertEqual(self.site.seen, [])

    def test_a_largest_size_holds_for_weights_too(self):
        done = self.fetch("small", "--set", "http.max_file_bytes=1000")
        self.assertEqual(self.error(done)["code"], "too_large")
        self.assertIn("http.max_file_bytes", self.error(done)["message"])

    def test_the_list_says_what_there_is(self):
        before = {line["name"]: line for line in must(self.fetch()).json_lines()}
        self.assertEqual(list(before), ["small", "unnamed", "pinned", "miscounted"])
        self.assertEqual((before["small"]["state"], before["small"]["top1_claimed"]), ("absent", 12.5))
        must(self.fetch("small"))
        self.assertEqual(must(self.fetch("--list")).json_lines()[0]["state"], "here")
        shipped = must(run("models", "fetch", "--list", "--json", home=self.home)).json_lines()
        claims = {line["name"]: (line["trained_on"], line["top1_claimed"], line["parameters"]) for line in shipped}
        self.assertEqual(len(claims), 13)
        self.assertEqual(claims["mvitv2-s-16x4-k400"], ("Kinetics-400", 81.0, 34_537_744))
        people = must(run("models", "fetch", home=self.home)).out
        self.assertRegex(people, r"mvitv2-b-32x3-k400 +Kinetics-400 +82\.9 \(1x5\) +51\.2 M +absent +https://dl\.fbaipublicfiles")

    def test_an_unknown_name_comes_with_the_nearest(self):
        done = run("models", "fetch", "mvitv2-s-16x4-k40", "--json", home=self.home)
        self.assertIn("did you mean mvitv2-s-16x4-k400?", self.error(done)["message"])
        self.error(self.fetch("smal"))
        self.assertStatus(self.fetch("--list", "small"), 2)
        self.assertStatus(run("models", "fetch", "--url", self.site.url("d02.pyth"), home=self.home), 2)

    def test_a_pickle_that_calls_something_is_refused(self):
        self.site.files["/evil.pyth"] = torch_zip(b"cos\nsystem\n(S'true'\ntR.")
        error = self.error(self.fetch("small", "--url", self.site.url("evil.pyth")))
        self.assertEqual(error["code"], "corrupt")
        self.assertIn("os.system", error["message"])


if __name__ == "__main__":
    unittest.main()

"""What `import` and `tag FOLDER` make of the folders and tables that people have, through the program."""
import json
import shutil
import unittest

import support
from support import ffmpeg, must, run


class ImportTest(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clips = support.make_clips(cls.folder / "clips", classes=2, clips_per_class=2, seed=3, seconds=1, size="64x64")

    def setUp(self):
        self.set = self.folder / self._testMethodName
        self.home = self.folder / (self._testMethodName + "-home")

    def put(self, clip, name):
        target = self.set / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.clips[clip], target)
        return target

    def rows(self):
        out = self.folder / (self._testMethodName + ".jsonl")
        must(run("catalog", "export", out, home=self.home))
        lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        return [line["video"] for line in lines if "video" in line]

    def test_a_set_with_splits_is_understood_and_frozen_by_source(self):
        for clip, name in enumerate(("train/cat/1.mp4", "train/dog/2.mp4", "val/cat/3.mp4", "test/dog/4.mp4")):
            self.put(clip, name)
        done = must(run("import", self.set, home=self.home))
        self.assertIn("2 classes from sub-folders of test, train, val: cat, dog", done.err)
        self.assertEqual(sorted((v["source"], v["hashtags"]) for v in self.rows()),
                         [("test", ["dog"]), ("train", ["cat"]), ("train", ["dog"]), ("val", ["cat"])])

    def test_a_given_split_stays_as_it_is_given(self):
        """The way of someone who brings labels: 2 classes, train and test given, and a copy on both sides."""
        clips = support.make_clips(self.folder / "own", set="look", classes=2, clips_per_class=16, seed=11, seconds=1, size="64x64")
        for clip in clips:
            number = int(clip.stem.split("-")[-1]) if clip.stem.split("-")[-1].isdigit() else clips.index(clip)
            part = "test" if number % 4 == 0 else "train"
            target = self.set / part / clip.parent.name / clip.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(clip, target)
        train = sorted((self.set / "train").rglob("*.mp4"))
        tests = sorted((self.set / "test").rglob("*.mp4"))
        ffmpeg("-i", tests[0], "-c:v", "libx264", "-crf", "24", self.set / "train" / tests[0].parent.name / "copy-of-a-test-video.mp4")
        must(run("import", self.set, "--json", home=self.home))
        done = must(run("dataset", "freeze", "--labels", "single", "--min-support", "2", "--json", home=self.home))
        frozen = done.json()
        self.assertEqual(frozen["videos"]["test"], len(tests))
        self.assertEqual(frozen["videos"]["train"] + frozen["videos"]["val"], len(train))
        self.assertGreater(frozen["videos"]["val"], 0)
        lines = [json.loads(line) for line in done.err.splitlines() if line.startswith("{")]
        left_out = [line for line in lines if line.get("event") == "videos_left_out"]
        self.assertEqual([(line["count"], line["files"]) for line in left_out], [(1, "copy-of-a-test-video.mp4")])
        self.assertIn("stands in test", left_out[0]["reason"])
        self.assertTrue([line for line in lines if line.get("event") == "split_as_given"])
        self.assertNotIn("failed", done.err)
        must(run("train", "--frozen", "--run", "own", "--json", home=self.home))
        judged = must(run("evaluate", "--run", "own", "--json", home=self.home)).json()
        self.assertEqual(judged["videos"], len(tests))
        # Later, a test set alone, for the model that there is.
        other = self.folder / "other-home"
        must(run("import", self.set / "test", "--json", home=other))
        alone = must(run("dataset", "freeze", "--labels", "single", "--min-support", "1", "--test", "100", "--json", home=other)).json()
        self.assertEqual(alone["videos"], {"train": 0, "val": 0, "test": len(tests)})
        again = must(run("evaluate", "--model", self.home / "runs" / "own" / "bundle", "--dataset", alone["dataset"], "--out",
                         self.folder / "alone", "--json", home=other)).json()
        self.assertEqual((again["videos"], again["top1"]), (len(tests), judged["top1"]))
        # Searching says names; another threshold tags anew, the same one does not.
        def build(*options):
            return must(run("index", "build", "--model", "own", *options, "--json", home=self.home)).json()
        everything = len(train) + len(tests) + 1
        self.assertEqual(build()["indexed"], everything)
        self.assertEqual(build()["already"], everything)
        self.assertEqual(build("--threshold", "0")["indexed"], everything)
        self.assertEqual(build("--threshold", "0")["already"], everything)
        hashtag = train[0].parent.name
        found = must(run("search", f"#{hashtag}", "--limit", "50", "--json", home=self.home)).json()["results"]
        self.assertIn(train[0].name, [hit["name"] for hit in found])
        self.assertIn(train[0].name, must(run("search", f"#{hashtag}", "--limit", "50", home=self.home)).out)

    def test_what_is_no_video_is_named_once_and_costs_nothing(self):
        self.put(0, "cat/1.mp4")
        (self.set / "cat" / "notes.txt").write_text("bought at the market")
        (self.set / "cat" / "._1.mp4").write_bytes(b"\0\5\x16\7")
        done = must(run("import", self.set, "--json", home=self.home))
        report = done.json()
        self.assertEqual((report["added"], report["rejected"]), (1, []))
        self.assertEqual([name.rsplit("/", 1)[1] for name in report["passed_over"]], ["notes.txt"])
        self.assertIn("notes.txt", done.err)

    def test_a_folder_is_tagged_as_it_is_imported(self):
        first = self.put(0, "1.mp4")
        for ending in ("flv", "mpg", "wmv", "3gp", "gif"):
            options = {"3gp": ["-s", "176x144"], "mpg": ["-r", "25"]}.get(ending, [])
            ffmpeg("-i", first, *options, self.set / f"v.{ending}")
        (self.set / "notes.txt").write_text("words")
        tagged = must(run("tag", self.set, "--json", home=self.home))
        self.assertEqual(len(tagged.json_lines()), 6)
        self.assertIn("notes.txt", tagged.err)
        self.assertEqual(must(run("import", self.set, "--json", home=self.home)).json()["added"], 6)

    def test_names_do_not_drive_the_terminal(self):
        self.set.mkdir()
        (self.set / "a\033]0;owned\007\nb.mp4").write_text("no video")
        for command in ("import", "tag"):
            done = run(command, self.set, home=self.home)
            self.assertStatus(done, 3)
            self.assertNotRegex(done.out + done.err, "[\\x00-\\x09\\x0b-\\x1f\\x7f]")
            self.assertEqual(len([line for line in done.err.splitlines() if "owned" in line]), 1)


if __name__ == "__main__":
    unittest.main()

"""From clips to tags, one command after the other, as the interface contract describes them."""
import pathlib
import unittest

import support
from support import ONE_CORE, must, run

CLASSES = 4
CLIPS = 4 * 12


class Pipeline(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clips_folder, cls.home = cls.folder / "clips", cls.folder / "home"
        cls.clips = support.make_clips(cls.clips_folder, set="look", classes=CLASSES, clips_per_class=CLIPS // CLASSES,
                                       seconds=1, size="64x64")
        recipe = cls.folder / "tiny.yaml"
        recipe.write_text(support.TINY_RECIPE, encoding="utf-8")
        cls.imported = run("import", cls.clips_folder, "--json", home=cls.home)
        cls.frozen = run("dataset", "freeze", "--labels", "single", "--min-support", "4", "--val", "20", "--test", "20",
                         "--json", home=cls.home)
        cls.trained = run("train", "--recipe", recipe, "--run", "first", *ONE_CORE, "--json", home=cls.home)

    def test_import_counts_new_videos_and_knows_them_the_second_time(self):
        self.assertEqual(must(self.imported).json(), {"added": CLIPS, "duplicate": 0, "rejected": []})
        again = run("import", self.clips_folder, "--json", home=self.home)
        self.assertEqual(must(again).json(), {"added": 0, "duplicate": CLIPS, "rejected": []})

    def test_import_names_rejected_files_and_takes_the_others(self):
        mixed, home = self.folder / "mixed", self.folder / "mixed-home"
        (mixed / "cats").mkdir(parents=True)
        (mixed / "cats" / "good.mp4").write_bytes(self.clips[0].read_bytes())
        (mixed / "cats" / "text.mp4").write_text("not a video\n", encoding="utf-8")
        done = run("import", mixed, "--json", home=home)
        self.assertStatus(done, 3)
        result = done.json()
        self.assertEqual((result["added"], result["duplicate"]), (1, 0))
        self.assertEqual([pathlib.Path(one["path"]).name for one in result["rejected"]], ["text.mp4"])
        self.assertIn("not a video", result["rejected"][0]["reason"])
        (video,) = [name for name in done.errors() if name]
        self.assertTrue(video.endswith("text.mp4"))
        self.assertEqual(done.errors()[video]["code"], "not_a_video")

    def test_freeze_list_and_show_agree(self):
        frozen = must(self.frozen).json()
        self.assertEqual(frozen["hashtags"], CLASSES)
        self.assertEqual(sum(frozen["videos"][part] for part in ("train", "val", "test")), CLIPS)
        self.assertTrue(all(frozen["videos"][part] > 0 for part in ("train", "val", "test")))
        (listed,) = must(run("dataset", "list", "--json", home=self.home)).json_lines()
        self.assertEqual(listed, frozen)
        shown = must(run("dataset", "show", frozen["dataset"][:6], "--json", home=self.home)).json()
        self.assertEqual(shown["dataset"], frozen["dataset"])
        self.assertEqual({row["hashtag"] for row in shown["vocabulary"]}, {clip.parent.name for clip in self.clips})
        for part in ("train", "val", "test"):
            self.assertEqual(sum(row[part] for row in shown["vocabulary"]), frozen["videos"][part])

    def test_freezing_the_same_catalog_again_gives_the_same_dataset(self):
        again = run("dataset", "freeze", "--labels", "single", "--min-support", "4", "--val", "20", "--test", "20",
                    "--json", home=self.home)
        self.assertEqual(must(again).json()["dataset"], self.frozen.json()["dataset"])

    def test_train_reports_the_run_and_leaves_its_files(self):
        result = must(self.trained).json()
        self.assertEqual((result["run"], result["epochs"]), ("first", 2))
        self.assertGreater(result["val"]["loss"], 0)
        self.assertTrue(0 <= result["val"]["top1"] <= 1)
        run_folder = self.home / "runs" / "first"
        for name in ("recipe.yaml", "options.json", "log.jsonl", "bundle/bundle.json", "bundle/weights.safetensors"):
            self.assertTrue((run_folder / name).is_file(), name)
        self.assertEqual(len((run_folder / "log.jsonl").read_text(encoding="utf-8").splitlines()), 2)
        self.assertTrue(self.trained.err_lines(), "no log on stderr")

    def test_a_run_is_not_overwritten(self):
        again = run("train", "--run", "first", *ONE_CORE, "--json", home=self.home)
        self.assertStatus(again, 1)
        self.assertEqual(again.out, "")
        self.assertEqual(again.errors()[None]["code"], "already_exists")

    def test_fine_tuning_starts_from_the_given_weights(self):
        done = run("train", "--recipe", self.folder / "tiny.yaml", "--from", "first", "--run", "tuned", "--key",
                   "SOLVER.MAX_EPOCH=1", *ONE_CORE, "--json", home=self.home)
        self.assertEqual(must(done).json()["epochs"], 1)
        (line,) = [line for line in done.err_lines() if line.get("event") == "fine_tuning"]
        self.assertEqual(line["weights_fresh"], 0)
        self.assertGreater(line["weights_taken"], 10)

    def test_evaluate_measures_the_run_and_writes_its_report(self):
        must(self.trained)
        result = must(run("evaluate", "--run", "first", "--split", "val", "--json", home=self.home)).json()
        self.assertLessEqual({"top1", "top5", "map", "gap20", "hit1", "perr", "videos"}, set(result))
        self.assertEqual(result["videos"], self.frozen.json()["videos"]["val"])
        # One view of the whole video is what validation looks at during training.
        self.assertAlmostEqual(result["top1"], self.trained.json()["val"]["top1"], places=6)
        self.assertEqual(result["top5"], 1.0)
        metrics = self.home / "runs" / "first" / "metrics.json"
        report = self.home / "runs" / "first" / "report.html"
        self.assertTrue(metrics.is_file() and report.is_file())
        page = report.read_text(encoding="utf-8")
        self.assertIn("<svg", page)
        for reference in ('src="http', "src='http", "<link", "<script src", "url(http"):
            self.assertNotIn(reference, page, "the report must stand alone")

    def test_tag_gives_one_line_a_video(self):
        must(self.trained)
        lines = must(run("tag", "--model", "first", *self.clips[:3], "--threshold", "0", "--json",
                         home=self.home)).json_lines()
        self.assertEqual([line["video"] for line in lines], [str(clip) for clip in self.clips[:3]])
        for line in lines:
            self.assertEqual(line["model"], "first")
            self.assertAlmostEqual(line["duration"], 1.0, delta=0.1)
            self.assertEqual({tag["hashtag"] for tag in line["tags"]}, {clip.parent.name for clip in self.clips})


if __name__ == "__main__":
    unittest.main()

"""From typed hashtags to a reviewed vocabulary, a dataset frozen by it, and that dataset's page."""
import json
import os
import pathlib
import random
import unittest

import support
from support import must, run

SHARED = os.environ.get("REELTAG_SHARED")
SUBJECTS = {"dance": ["ballet", "salsa", "stage"], "car": ["engine", "garage", "racetrack"],
            "color": ["brush", "easel", "canvas"], "cat": ["kitten", "purr", "whiskers"],
            "cooking": ["recipe", "noodles", "kitchen"]}


def typed_rows(count):
    """What people type: a subject, perhaps in another spelling, and the wish to be seen."""
    dice = random.Random(5)
    for number in range(count):
        subject = dice.choice(sorted(SUBJECTS))
        hashtags = [{"car": dice.choice(["car", "cars"]), "color": dice.choice(["color", "color", "Colour"])}.get(
            subject, subject)]
        hashtags += [word for word in SUBJECTS[subject] if dice.random() < 0.6]
        hashtags += [word for word, share in (("fyp", 0.6), ("ForYou", 0.4), ("🔥", 0.1)) if dice.random() < share]
        yield {"id": str(number), "author": f"author {dice.randrange(200)}", "hashtags": hashtags}


class Vocabulary(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.meta = cls.folder / "meta.jsonl"
        cls.meta.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in typed_rows(1500)),
                            encoding="utf-8")
        cls.home = cls.folder / "home"

    def review(self, *arguments):
        return must(run("dataset", "vocabulary", "--from", self.meta, "--json", *arguments, home=self.home)).json()

    def test_generic_hashtags_go_and_spellings_meet_with_reasons(self):
        found = self.review()
        self.assertEqual((found["videos"], found["tagged"]), (1500, 1500))
        self.assertEqual({one["hashtag"] for one in found["generic"]}, {"fyp", "foryou", "🔥"})
        kept = {one["hashtag"]: one for one in found["vocabulary"]}
        self.assertLessEqual({"dance", "cat", "cooking", "ballet"}, set(kept))
        self.assertEqual(kept["color"]["spellings"], ["colour"])
        self.assertEqual(sum("car" in (one["hashtag"], *one["spellings"]) for one in kept.values()), 1)
        for one in found["generic"] + found["merges"]:
            self.assertTrue(one["reason"], one)
        self.assertLess(found["generic"][0]["saying"]["bits"], kept["dance"]["saying"]["bits"])

    def imported(self, manifest, home):
        """The vocabulary by way of the catalog, which gets posts without a video."""
        done = must(run("import", manifest, "--json", home=home)).json()
        self.assertEqual(done["added"], done["metadata_only"])
        self.assertEqual(done["rejected"], [])
        self.assertEqual(must(run("import", manifest, "--json", home=home)).json()["duplicate"], done["added"])
        nothing = must(run("dataset", "vocabulary", "--videos-only", "--json", home=home)).json()
        self.assertEqual(nothing["videos"], 0)
        return done, must(run("dataset", "vocabulary", "--json", home=home)).json()

    def test_metadata_without_videos_goes_by_way_of_the_catalog_too(self):
        done, found = self.imported(self.meta, self.folder / "imported")
        self.assertEqual(done["added"], 1500)
        self.assertEqual(found, self.review())

    @unittest.skipUnless(SHARED, "needs the metadata of real videos (REELTAG_SHARED)")
    def test_real_metadata(self):
        real = pathlib.Path(SHARED) / "data" / "tiktok_meta" / "videos.jsonl"
        home = self.folder / "real"
        done, found = self.imported(real, home)
        self.assertEqual(done["added"] + done["duplicate"], 14816)
        self.assertGreater(done["added"], 14800)
        self.assertGreater(len(found["vocabulary"]), 100)
        self.assertIn("fyp", {one["hashtag"] for one in found["generic"]})
        if done["duplicate"] == 0:
            whole = must(run("dataset", "vocabulary", "--from", real, "--json", home=home)).json()
            self.assertEqual(found, whole)

    def test_the_file_is_written_edited_and_goes_before_the_statistics(self):
        file = self.folder / "vocabulary.txt"
        done = must(run("dataset", "vocabulary", "--from", self.meta, "-o", file, home=self.home))
        self.assertIn("--vocabulary", done.out)
        text = file.read_text(encoding="utf-8")
        self.assertIn("- fyp ", text)
        self.assertEqual(must(run("dataset", "vocabulary", "--from", self.meta, home=self.home)).out.strip(), text.strip())
        decided = self.folder / "decided.txt"
        decided.write_text("fyp\n- dance\ncat = kitten\ncolour\n", encoding="utf-8")
        found = self.review("--decided", decided)
        kept = {one["hashtag"]: one for one in found["vocabulary"]}
        self.assertIn("fyp", kept)
        self.assertNotIn("dance", kept)
        self.assertEqual(kept["cat"]["spellings"], ["kitten"])
        self.assertIn("colour", kept)
        self.assertEqual([one["hashtag"] for one in found["blocked"]], ["dance"])

    def test_labels_support_and_size_are_options(self):
        self.assertEqual(len(self.review("--max-hashtags", "3")["vocabulary"]), 3)
        self.assertEqual(self.review("--min-support", "1500")["vocabulary"], [])
        single = {one["hashtag"]: one["videos"] for one in self.review("--labels", "single")["vocabulary"]}
        self.assertNotIn("ballet", single)  # never the first
        self.assertIn("dance", single)

    def test_wrong_use_says_what_is_wrong(self):
        bad = self.folder / "bad.txt"
        bad.write_text("a\n- a\n", encoding="utf-8")
        done = run("dataset", "vocabulary", "--from", self.meta, "--decided", bad, home=self.home)
        self.assertStatus(done, 2)
        self.assertIn("bad.txt:2", done.err)
        self.assertStatus(run("dataset", "vocabulary", "--from", self.folder / "none.jsonl", home=self.home), 1)
        self.assertStatus(run("dataset", "vocabulary", "--from", self.meta, "--source", "x", home=self.home), 2)
        self.assertStatus(run("dataset", "vocabulary", "--from", self.meta, "--generic-share", "2", home=self.home), 2)
        empty = must(run("dataset", "vocabulary", "--json", home=self.folder / "empty")).json()
        self.assertEqual((empty["videos"], empty["vocabulary"]), (0, []))


class Frozen(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home, clips = cls.folder / "home", cls.folder / "clips"
        made = support.make_clips(clips, set="look", classes=2, clips_per_class=10, seconds=1, size="64x64")
        with open(clips / "manifest.jsonl", "w", encoding="utf-8") as manifest:
            for number, clip in enumerate(made):
                hashtags = [["cat", "fyp"], ["kitty", "fyp"], ["dog", "fyp"], ["Dog", "猫"]][number % 4]
                manifest.write(json.dumps({"file": str(clip.relative_to(clips)), "hashtags": hashtags}) + "\n")
        must(run("import", clips, "--json", home=cls.home))
        cls.file = cls.folder / "vocabulary.txt"
        cls.file.write_text("cat = kitty  # reviewed\ndog\n- fyp\n", encoding="utf-8")

    def freeze(self, *arguments):
        return must(run("dataset", "freeze", "--val", "20", "--test", "20", "--json", *arguments, home=self.home)).json()

    def test_both_kinds_of_labels_follow_the_file(self):
        for labels in ("multi", "single"):
            with self.subTest(labels=labels):
                frozen = self.freeze("--labels", labels, "--vocabulary", self.file)
                shown = must(run("dataset", "show", frozen["dataset"], "--json", home=self.home)).json()
                support_of = {row["hashtag"]: row["train"] + row["val"] + row["test"] for row in shown["vocabulary"]}
                self.assertEqual(support_of, {"cat": 10, "dog": 10})
                self.assertEqual(shown["options"]["spellings"], {"kitty": "cat"})

    def test_the_catalog_can_be_asked_too(self):
        found = must(run("dataset", "vocabulary", "--min-support", "1", "--json", home=self.home)).json()
        self.assertEqual(found["videos"], 20)
        self.assertIn("猫", {one["hashtag"] for one in found["vocabulary"]})
        none = must(run("dataset", "vocabulary", "--source", "nowhere", "--json", home=self.home)).json()
        self.assertEqual(none["videos"], 0)

    def test_stats_print_and_draw(self):
        frozen = self.freeze("--min-support", "4")
        stats = must(run("dataset", "stats", frozen["dataset"], "--json", home=self.home)).json()
        self.assertEqual(stats["videos"], frozen["videos"])
        self.assertEqual(stats["stats"]["typed_per_video"], [0, 0, 20])
        self.assertEqual(stats["stats"]["sources"], {"import": 20})
        self.assertAlmostEqual(stats["stats"]["durations"]["total"], 20.0, delta=2.0)
        page = self.home / "datasets" / frozen["dataset"] / "report.html"
        self.assertEqual(stats["report"], str(page))
        text = page.read_text(encoding="utf-8")
        for part in ("<svg", "data:image/jpeg;base64,", "#fyp", "</html>"):
            self.assertIn(part, text)
        for outside in ("http:", "https:", "<script"):
            self.assertNotIn(outside, text)
        told = must(run("dataset", "stats", home=self.home)).out
        self.assertIn("report.html", told)
        self.assertIn("sources:  import 20", told)
        self.assertEqual(self.freeze("--min-support", "4")["dataset"], frozen["dataset"])


if __name__ == "__main__":
    unittest.main()

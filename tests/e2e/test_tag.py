"""`reeltag tag` on real files: containers, damaged files among good ones, its options."""
import pathlib
import unittest

import support
from support import must, run

# Name of the file and what ffmpeg is told to make of the clip.
FORMATS = {
    "plain.mp4": ["-c:v", "libx264"],
    "upright.mp4": ["-vf", "crop=iw/2:ih,scale=72:128", "-c:v", "libx264"],
    "hevc.mp4": ["-c:v", "libx265", "-x265-params", "log-level=error:pools=1"],
    "vp9.webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
    "h264.mov": ["-c:v", "libx264"],
    "h264.mkv": ["-c:v", "libx264"],
    "mpeg4.avi": ["-c:v", "mpeg4"],
    "moving.gif": [],
}
WORDS = 4


class Tag(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home, cls.clips_folder = cls.folder / "home", cls.folder / "clips"
        cls.clips = support.make_clips(cls.clips_folder, set="look", classes=WORDS, clips_per_class=10, seconds=1,
                                       size="64x64")
        support.train_tiny(cls.home, cls.clips_folder)
        (cls.long_clip,) = support.make_clips(cls.folder / "long", set="look", classes=1, clips_per_class=1, seconds=5,
                                              size="128x128", seed=7)
        cls.formats = cls.folder / "formats"
        cls.formats.mkdir()
        for name, options in FORMATS.items():
            support.ffmpeg("-i", cls.long_clip, "-t", "3", "-an", *options, cls.formats / name)

    def tag(self, *arguments):
        return run("tag", "--model", "tiny", *arguments, home=self.home)

    def assert_good_line(self, line, seconds):
        self.assertAlmostEqual(line["duration"], seconds, delta=0.2)
        scores = [tag["score"] for tag in line["tags"]]
        self.assertEqual(len(scores), WORDS)
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertTrue(all(0 <= score <= 1 for score in scores))
        for tag in line["tags"]:
            self.assertTrue(tag["segments"])
            for start, end in tag["segments"]:
                self.assertTrue(0 <= start < end <= line["duration"] + 0.001, tag)
                self.assertFalse(tag["hashtag"].startswith("#"))

    def test_every_container_and_codec(self):
        done = must(self.tag(*(self.formats / name for name in FORMATS), "--threshold", "0", "--json"))
        lines = done.json_lines()
        self.assertEqual([pathlib.Path(line["video"]).name for line in lines], list(FORMATS))
        for line in lines:
            with self.subTest(video=pathlib.Path(line["video"]).name):
                self.assert_good_line(line, 3.0)

    def test_the_container_does_not_change_what_is_seen(self):
        done = must(self.tag(*(self.formats / name for name in ("plain.mp4", "h264.mov", "h264.mkv")), "--threshold",
                             "0", "--json"))
        tags = [{tag["hashtag"]: tag["score"] for tag in line["tags"]} for line in done.json_lines()]
        for other in tags[1:]:
            for name, score in tags[0].items():
                self.assertAlmostEqual(other[name], score, places=3)

    def test_a_folder_is_searched_for_videos(self):
        (self.formats / "notes.txt").write_text("not looked at\n", encoding="utf-8")
        lines = must(self.tag(self.formats, "--json")).json_lines()
        self.assertEqual([pathlib.Path(line["video"]).name for line in lines], sorted(FORMATS))

    def test_damaged_files_are_named_and_the_others_tagged(self):
        folder = self.folder / "damaged"
        folder.mkdir()
        (folder / "text.mp4").write_text("A film about a dog.\n", encoding="utf-8")
        (folder / "empty.mp4").write_bytes(b"")
        (folder / "random.mp4").write_bytes(bytes((i * 7919 + i // 13) % 251 for i in range(50_000)))
        content = self.long_clip.read_bytes()
        (folder / "truncated.mp4").write_bytes(content[:len(content) // 3])
        for name in ("a-good.mp4", "z-good.mp4"):
            (folder / name).write_bytes(self.clips[0].read_bytes())
        done = self.tag(folder, "--json")
        self.assertStatus(done, 3)
        tagged = [pathlib.Path(line["video"]).name for line in done.json_lines()]
        self.assertEqual(tagged, ["a-good.mp4", "z-good.mp4"])
        errors = {pathlib.Path(video).name: error for video, error in done.errors().items()}
        self.assertEqual(set(errors), {"text.mp4", "empty.mp4", "random.mp4", "truncated.mp4"})
        self.assertEqual({error["code"] for error in errors.values()}, {"not_a_video"})
        self.assertIn("empty", errors["empty.mp4"]["message"])
        self.assertIn("cut off", errors["truncated.mp4"]["message"])

        people = self.tag(folder)
        self.assertStatus(people, 3)
        self.assertEqual(people.out.count("good.mp4"), 2)
        for name in errors:
            self.assertTrue(any(name in line for line in people.err.splitlines()), f"{name} is not named\n{people}")
            self.assertNotIn(name, people.out)

    def test_a_missing_file_does_not_stop_the_others(self):
        done = self.tag(self.folder / "nothing.mp4", self.clips[0], "--json")
        self.assertStatus(done, 3)
        self.assertEqual([line["video"] for line in done.json_lines()], [str(self.clips[0])])
        self.assertEqual(done.errors()[str(self.folder / "nothing.mp4")]["code"], "not_found")

    def test_a_tall_clip_can_be_seen_whole(self):
        tall = self.folder / "tall.mp4"  # what there is to see is above the central square
        support.ffmpeg("-i", self.long_clip, "-t", "2", "-vf", "scale=64:64,pad=64:192:0:0", "-an", tall)

        def scores(*options):
            (line,) = must(self.tag(tall, "--threshold", "0", "--json", *options)).json_lines()
            self.assert_good_line(line, 2.0)
            return {tag["hashtag"]: tag["score"] for tag in line["tags"]}

        cropped, whole = scores(), scores("--whole-picture")
        self.assertEqual(cropped.keys(), whole.keys())
        self.assertGreater(max(abs(cropped[tag] - whole[tag]) for tag in whole), 0.001)

    def test_top_keeps_the_best_tags(self):
        every = must(self.tag(self.clips[0], "--threshold", "0", "--json")).json()["tags"]
        best = must(self.tag(self.clips[0], "--threshold", "0", "--top", "2", "--json")).json()["tags"]
        self.assertEqual(best, every[:2])

    def test_views_of_two_seconds_overlap_by_half_and_one_view_is_the_whole_clip(self):
        one = must(self.tag(self.long_clip, "--threshold", "0", "--views", "1", "--json")).json()
        self.assert_good_line(one, 5.0)
        for tag in one["tags"]:
            ((start, end),) = tag["segments"]
            self.assertAlmostEqual(start, 0.0, delta=0.01)
            self.assertAlmostEqual(end, one["duration"], delta=0.01)
        many = must(self.tag(self.long_clip, "--threshold", "0", "--json")).json()
        self.assert_good_line(many, 5.0)
        for tag in many["tags"]:
            for start, end in tag["segments"]:
                self.assertAlmostEqual(start, round(start), delta=0.1)  # 2 s views begin a second apart
                self.assertAlmostEqual(end, round(end), delta=0.1)
                self.assertGreaterEqual(end - start, 1.9)

    def test_below_its_threshold_it_is_unsure(self):
        line = must(self.tag(self.clips[0], "--threshold", "1", "--json")).json()
        self.assertEqual((line["tags"], line["unsure"]), ([], True))
        self.assertIn("unsure", must(self.tag(self.clips[0], "--threshold", "1")).out)
        sure = must(self.tag(self.clips[0], "--threshold", "0", "--json")).json()
        self.assertNotIn("unsure", sure)

    def test_an_unknown_model_is_answered_with_those_there_are(self):
        done = run("tag", "--model", "NONSENSE", self.clips[0], home=self.home)
        self.assertStatus(done, 1)
        self.assertEqual(done.out, "")
        self.assertIn("NONSENSE", done.err)
        self.assertRegex(done.err, r"there are:.*\btiny\b")

    def test_the_words_for_people_name_video_and_tags(self):
        done = must(self.tag(self.clips[0], "--threshold", "0"))
        self.assertIn(str(self.clips[0]), done.out)
        self.assertEqual(sum(line.strip().startswith("#") for line in done.out.splitlines()), WORDS)
        self.assertEqual(done.err, "")

    def test_a_model_can_be_a_folder(self):
        bundle = self.home / "runs" / "tiny" / "bundle"
        by_folder = must(run("tag", "--model", bundle, self.clips[0], "--threshold", "0", "--json",
                             home=self.folder / "other-home")).json()
        by_name = must(self.tag(self.clips[0], "--threshold", "0", "--json")).json()
        self.assertEqual(by_folder["tags"], by_name["tags"])

    def test_the_starter_tags_a_clip(self):
        if not (support.ROOT / "models" / "starter" / "bundle.json").is_file():
            self.skipTest("models/starter is not in this tree")
        line = must(run("tag", self.formats / "plain.mp4", "--json", home=self.folder / "starter-home")).json()
        self.assertEqual(line["model"], "starter")
        self.assertEqual(bool(line.get("unsure")), not line["tags"])
        every = must(run("tag", self.formats / "plain.mp4", "--threshold", "0", "--top", "5", "--json",
                         home=self.folder / "starter-home")).json()
        self.assertEqual(len(every["tags"]), 5)


if __name__ == "__main__":
    unittest.main()

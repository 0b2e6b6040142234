"""`reeltag index` and `reeltag search`: rows from a file of tags, from the catalog and from videos; what finds them."""
import json
import pathlib
import signal
import statistics
import subprocess
import time
import unittest

import support
from support import must, run

SEARCH_SECONDS = 0.5  # a whole process; the search itself is measured in docs/results.md


def line(video, *tags, model="m", **more):
    """What `tag --json` writes for one video; tags: (hashtag, score, [start, end]...)."""
    found = [{"hashtag": name, "score": score, "segments": list(segments)} for name, score, *segments in tags]
    return {"video": video, "model": model, "duration": 9.0, "tags": found, **({} if found else {"unsure": True}), **more}


def write_lines(path, lines):
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    return path


class FromTags(support.Case):
    """Needs no model: the rows come from lines of `tag --json`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.folder / "home"
        cls.tags = write_lines(cls.folder / "tags.jsonl", [
            line("evening.mp4", ("playing guitar", 0.9, [0, 2], [4, 6]), ("room", 0.4, [0, 9])),
            line("lesson.mp4", ("guitar", 0.5, [1, 3]), caption="My guitar lesson", hashtags=["Music", "guitar"]),
            line("tower.mp4", ("city", 0.7, [0, 9]), caption="夜の東京タワー 🗼", hashtags=["東京"]),
            line("unsure.mp4"),
        ])
        done = must(run("index", "add", "--tags", cls.tags, "--json", home=cls.home))
        cls.added = done.json()

    def search(self, *arguments):
        return must(run("search", *arguments, "--json", home=self.home)).json()

    def videos(self, query, *arguments):
        return [result["video"] for result in self.search(query, *arguments)["results"]]

    def test_every_line_became_a_row(self):
        self.assertEqual(self.added, {"indexed": 4, "already": 0, "failed": 0, "videos": 4})
        stats = must(run("index", "stats", "--json", home=self.home)).json()
        self.assertEqual((stats["videos"], stats["captioned"], stats["typed"], stats["predicted"]), (4, 2, 2, 3))
        self.assertEqual(stats["models"], [{"model": "m", "version": "", "videos": 4}])
        self.assertIn("4 videos", must(run("index", "stats", home=self.home)).out)

    def test_a_video_without_any_typed_hashtag_is_found_by_a_predicted_one(self):
        answer = self.search("playing guitar")
        self.assertEqual(answer["query"], "playing guitar")
        result = answer["results"][-1]
        self.assertEqual(result, {"video": "evening.mp4", "score": 0.9, "why": ["predicted"],
                                  "segments": [[0.0, 2.0], [4.0, 6.0]]})

    def test_why_names_caption_typed_and_predicted(self):
        first = self.search("guitar")["results"][0]
        self.assertEqual(first, {"video": "lesson.mp4", "score": 1.5, "why": ["caption", "typed", "predicted"],
                                 "segments": [[1.0, 3.0]], "caption": "My guitar lesson"})
        self.assertEqual(self.search("lesson")["results"][0]["why"], ["caption"])
        self.assertEqual(self.search("#music")["results"][0]["why"], ["typed"])

    def test_spellings_of_a_hashtag(self):
        for query in ("#PlayingGuitar", "#playing_guitar", "PLAYING  guitar", "ｐｌａｙｉｎｇ guitar"):
            self.assertIn("evening.mp4", self.videos(query), query)
        for query in ("東京タワー", "#東京", "🗼", "city"):
            self.assertEqual(self.videos(query), ["tower.mp4"], query)

    def test_any_query_is_answered(self):
        for query in ("", " ", '"', "'", "*", "guitar*", "a AND", "NEAR(", "caption:x", "x' OR '1'='1", "[a,b]", "{", "%",
                      "#", "\u0301", "guitar " * 5000):
            with self.subTest(query=query[:40]):
                self.assertEqual(self.search(query)["query"], query)
        self.assertEqual(must(run("--json", "search", "--", "-x", home=self.home)).json()["query"], "-x")
        raw = subprocess.run([support.PROGRAM, "--home", self.home, "search", b"\xff\xfeguitar\xc3", "--json"],
                             capture_output=True, check=False, env=support.environment())
        self.assertEqual(raw.returncode, 0, raw.stderr)
        self.assertEqual(len(json.loads(raw.stdout)["results"]), 2)

    def test_limit(self):
        self.assertEqual(self.videos("guitar", "--limit", "1"), ["lesson.mp4"])
        for limit in ("0", "-1", "many"):
            self.assertStatus(run("search", "guitar", "--limit", limit, home=self.home), 2)

    def test_words_for_people(self):
        out = must(run("search", "guitar", home=self.home)).out
        self.assertIn("  1.50  lesson.mp4\n", out)
        self.assertIn('"My guitar lesson"', out)
        self.assertIn("predicted #playing guitar 90 %   0.0-2.0 s, 4.0-6.0 s", out)
        nothing = must(run("search", "zebra", home=self.home))
        self.assertEqual(nothing.out, "nothing found for: zebra\n")
        self.assertEqual(self.search("zebra"), {"query": "zebra", "results": []})

    def test_captions_cannot_drive_the_terminal(self):
        home = self.folder / "hostile"
        tags = write_lines(self.folder / "hostile.jsonl",
                           [line("a\u001b[2J.mp4", ("x", 1.0), caption="zebra \u001b]0;t\u0007\u009b31m\nnext " + "y" * 200)])
        must(run("index", "add", "--tags", tags, home=home))
        out = must(run("search", "zebra", home=home)).out
        self.assertNotRegex(out, "[\u0000-\u0009\u000b-\u001f\u007f-\u009f]")
        self.assertTrue(all(len(row) < 100 for row in out.splitlines()), out)

    def test_bad_lines_are_named_and_the_others_taken(self):
        home, tags = self.folder / "bad", self.folder / "bad.jsonl"
        tags.write_text("\n".join([json.dumps(line("a.mp4", ("cat", 0.5))), "{", '{"video":"b.mp4"}',
                                   json.dumps(line("c.mp4", ("cat", 7))), json.dumps(line("d.mp4", ("cat", 0.6)))]),
                        encoding="utf-8")
        done = run("index", "add", "--tags", tags, "--json", home=home)
        self.assertStatus(done, 3)
        self.assertEqual(done.json(), {"indexed": 2, "already": 0, "failed": 3, "videos": 2})
        self.assertEqual({name.rsplit(":", 1)[1] for name in done.errors()}, {"2", "3", "4"})
        self.assertEqual({error["code"] for error in done.errors().values()}, {"invalid_argument"})

    def test_wrong_usage_and_what_is_missing(self):
        for arguments in (["index"], ["index", "add"], ["search"], ["index", "add", "a.mp4", "--tags", self.tags],
                          ["index", "build", "--texts-only", "--model", "starter"]):
            with self.subTest(arguments=arguments):
                self.assertStatus(run(*arguments, home=self.home), 2)
        empty = self.folder / "empty-home"
        for arguments in (["search", "cat"], ["index", "stats"]):
            done = run(*arguments, "--json", home=empty)
            self.assertStatus(done, 1)
            self.assertEqual(done.errors()[None]["code"], "not_found")
            self.assertIn("reeltag index build", done.errors()[None]["message"])
        self.assertFalse((empty / "index").exists())
        self.assertStatus(run("index", "add", "--tags", self.folder / "none.jsonl", home=empty), 1)

    def test_a_search_starts_fast(self):
        seconds = []
        for _ in range(5):
            begin = time.monotonic()
            self.search("playing guitar")
            seconds.append(time.monotonic() - begin)
        self.assertLess(statistics.median(seconds), SEARCH_SECONDS, seconds)


class FromCatalog(support.Case):
    """Captions and typed hashtags of imported videos; still no model."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home, cls.clips_folder = cls.folder / "home", cls.folder / "clips"
        cls.clips = support.make_clips(cls.clips_folder, set="look", classes=2, clips_per_class=2, seconds=1, size="64x64")
        write_lines(cls.clips_folder / "manifest.jsonl", [
            {"file": str(clip.relative_to(cls.clips_folder)), "caption": f"clip number {n}", "hashtags": ["typed"] if n else []}
            for n, clip in enumerate(cls.clips)])
        must(run("import", cls.clips_folder, home=cls.home))
        cls.built = must(run("index", "build", "--texts-only", "--json", home=cls.home)).json()

    def results(self, query):
        return must(run("search", query, "--json", home=self.home)).json()["results"]

    def test_texts_are_found_by_the_catalogs_id(self):
        self.assertEqual(self.built, {"indexed": 4, "already": 0, "failed": 0, "videos": 4})
        self.assertEqual(len(self.results("number")), 4)
        self.assertEqual(len(self.results("#typed")), 3)
        for result in self.results("number"):
            self.assertRegex(result["video"], "^[0-9a-f]{64}$")

    def test_tags_of_a_file_with_a_catalog_videos_bytes_go_to_its_row(self):
        stored = next((self.home / "store" / "videos").iterdir())
        tags = write_lines(self.folder / "tags.jsonl",
                           [line(str(self.clips[0]), ("juggling", 0.8, [0, 1])), line(str(stored), ("unicycle", 0.6, [0, 1])),
                            line("elsewhere.mp4", ("juggling", 0.1))])
        must(run("index", "add", "--tags", tags, home=self.home))
        juggling = self.results("juggling number 0")
        self.assertEqual(juggling[0]["why"], ["caption", "predicted"])
        # "0" stands in one caption and counts 1, "number" in all four and next to nothing; and the hashtag's own score.
        self.assertGreater(juggling[0]["score"], 1.8)
        self.assertLess(juggling[0]["score"], 2.1)
        self.assertEqual(self.results("unicycle")[0]["video"], stored.stem)
        # The index holds nothing of its own.
        copy = self.folder / "copy"
        must(run("index", "build", "--texts-only", "--set", f"index.url={copy}", home=self.home))
        must(run("index", "add", "--tags", tags, "--set", f"index.url={copy}", home=self.home))
        anew = must(run("search", "juggling number 0", "--json", "--set", f"index.url={copy}", home=self.home)).json()
        self.assertEqual(anew["results"], juggling)
        # Building again changes none of it.
        again = must(run("index", "build", "--texts-only", "--json", home=self.home)).json()
        self.assertEqual(again["videos"], 5)
        self.assertEqual(self.results("juggling number 0"), juggling)


class WithModel(support.Case):
    """Videos tagged on the way into the index, by a tiny net."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not support.PROGRAM.with_name("reeltag-torch").exists():
            raise unittest.SkipTest("reeltag-torch is not built")
        cls.home, cls.clips_folder = cls.folder / "home", cls.folder / "clips"
        cls.clips = support.make_clips(cls.clips_folder, set="look", classes=4, clips_per_class=10, seconds=1, size="64x64")
        support.train_tiny(cls.home, cls.clips_folder)
        cls.every = ["--threshold", "0"]

    def index(self, *arguments, home=None):
        return run("index", *arguments, "--json", home=home or self.home)

    def test_1_build_tags_the_catalog_and_goes_on_after_a_kill(self):
        command = [support.PROGRAM, "--home", self.home, "index", "build", "--model", "tiny", *self.every, "--json"]
        with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=support.environment()) as build:
            for _ in range(600):
                stats = run("index", "stats", "--json", home=self.home)
                if build.poll() is not None or (stats.status == 0 and stats.json()["models"]):
                    break
                time.sleep(0.05)
            build.send_signal(signal.SIGKILL)
        before = must(run("index", "stats", "--json", home=self.home)).json()
        looked = sum(model["videos"] for model in before["models"])
        self.assertGreater(looked, 0)
        must(run("search", "anything", "--json", home=self.home))
        done = must(self.index("build", "--model", "tiny", *self.every)).json()
        self.assertEqual(done, {"indexed": 40 - looked, "already": looked, "failed": 0, "videos": 40})
        self.assertEqual(must(self.index("build", "--model", "tiny", *self.every)).json(),
                         {"indexed": 0, "already": 40, "failed": 0, "videos": 40})

    def test_2_rows_say_what_tag_says(self):
        must(self.index("build", "--model", "tiny", *self.every))
        tagged = must(run("tag", "--model", "tiny", *self.every, self.clips[0], "--json", home=self.home)).json()
        home = self.folder / "untyped"  # a catalog that knows nothing: no caption, no typed hashtag
        added = must(run("index", "add", self.clips[0], "--model", self.home / "runs" / "tiny" / "bundle", *self.every,
                         "--json", home=home)).json()
        self.assertEqual(added, {"indexed": 1, "already": 0, "failed": 0, "videos": 1})
        self.assertEqual(len(tagged["tags"]), 4)
        for tag in tagged["tags"]:
            (found,) = must(run("search", "#" + tag["hashtag"], "--json", home=home)).json()["results"]
            self.assertEqual(found["video"], str(self.clips[0].absolute()))
            self.assertEqual(found["why"], ["predicted"])
            self.assertAlmostEqual(found["score"], tag["score"], places=3)
            self.assertEqual(found["segments"], tag["segments"])

    def test_3_bad_videos_are_named_and_the_others_added(self):
        folder, home = self.folder / "mixed", self.folder / "mixed-home"
        folder.mkdir()
        (folder / "bad.mp4").write_text("A film about a dog.\n", encoding="utf-8")
        (folder / "good.mp4").write_bytes(self.clips[0].read_bytes())
        done = run("index", "add", folder, "--model", self.home / "runs" / "tiny" / "bundle", "--json", home=home)
        self.assertStatus(done, 3)
        self.assertEqual(done.json(), {"indexed": 1, "already": 0, "failed": 1, "videos": 1})
        self.assertEqual([pathlib.Path(name).name for name in done.errors()], ["bad.mp4"])
        self.assertStatus(run("index", "add", "-", home=home), 2)
        self.assertStatus(run("index", "build", "--model", "NONSENSE", home=home), 1)

    def test_4_a_missing_blob_is_named_and_tried_again(self):
        home = self.folder / "lost-home"
        must(run("import", *self.clips[:3], home=home))
        lost = next((home / "store" / "videos").iterdir())
        content = lost.read_bytes()
        lost.unlink()
        model = ["--model", self.home / "runs" / "tiny" / "bundle"]
        done = self.index("build", *model, home=home)
        self.assertStatus(done, 3)
        self.assertEqual((done.json()["indexed"], done.json()["failed"]), (2, 1))
        self.assertEqual(done.errors()[lost.stem]["code"], "not_found")
        lost.write_bytes(content)
        self.assertEqual(must(self.index("build", *model, home=home)).json(),
                         {"indexed": 1, "already": 2, "failed": 0, "videos": 3})


if __name__ == "__main__":
    unittest.main()

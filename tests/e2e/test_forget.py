"""`reeltag forget`: what is forgotten is nowhere in the home any more and does not come back, killed in between or not."""
import base64
import collections
import hashlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import time
import unittest

import support
from support import must, run
from test_collect import KEYS, CollectCase


# Another first day is another collection, which goes through everything anew.
EARLIER = [["--set", f"collect.research.since=2023-12-{day}"] for day in (30, 29)]


def content_id(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def everything(home):
    """All bytes below the home, with the names of the files: also free pages and journals of databases."""
    parts = []
    for folder, _, names in os.walk(home):
        for name in names:
            path = pathlib.Path(folder) / name
            parts += [str(path.relative_to(home)).encode(), path.read_bytes()]
    return b"\n".join(parts)


class ForgetCase(CollectCase):
    """A home with all that the program writes about a video: collected, imported, frozen, reported, indexed, learned."""

    def setUp(self):
        super().setUp()
        self.replica_ = self.replica()
        must(self.collect(self.replica_))
        others = [post for post in self.posts if not post.has(self.tag)]
        rows = [{"file": str(post.path.relative_to(self.clips)), "author": "importer", "caption": f"imported {post.number}",
                 "hashtags": post.hashtags} for post in others]
        (self.clips / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        must(run("import", self.clips / "rows.jsonl", "--json", home=self.home))
        self.videos = {source_id: video for video, source_id in self.rows("id, source_id", "video") if source_id}
        self.imported = sorted(video for video, source_id in self.rows("id, source_id", "video") if not source_id)
        self.post = self.wanted[0]
        self.video = self.videos[str(self.post.id)]
        self.dataset = must(run("dataset", "freeze", "--min-support", 4, "--val", 0, "--test", 0, "--json",
                                home=self.home)).json()["dataset"]
        must(run("dataset", "stats", "--json", home=self.home))
        tags = self.folder / f"{self._testMethodName}.jsonl"
        tags.write_text("".join(json.dumps({"video": video, "model": "m", "tags": [
            {"hashtag": f"seen{video[:9]}", "score": 0.9, "segments": [[0, 1]]}]}) + "\n"
            for video in [*self.videos.values(), *self.imported]), encoding="utf-8")
        must(run("index", "add", "--tags", tags, "--json", home=self.home))
        must(run("index", "build", "--texts-only", "--json", home=self.home))
        self.learn()

    def learn(self):
        """What training and evaluation leave, which need libtorch: features, runs, models, reports, scores."""
        run_folder, model = self.home / "runs" / "r1", self.home / "models" / "m1"
        run_folder.mkdir(parents=True)
        model.mkdir(parents=True)
        for video in [*self.videos.values(), *self.imported]:
            place = self.home / "store" / "features" / "net-1"
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{video}.f32").write_bytes(b"features of " + video[:20].encode())
        (run_folder / "options.json").write_text(json.dumps({"dataset": self.dataset}), encoding="utf-8")
        (run_folder / "metrics.json").write_text(json.dumps(
            {"dataset": self.dataset, "top1": 0.5, "failed_videos": [{"video": self.video, "error": {}}]}), encoding="utf-8")
        picture = base64.b64encode(self.post.path.read_bytes()[:200]).decode()
        (run_folder / "report.html").write_text(f"<img alt='frame of {self.video}' src='data:{picture}'>", encoding="utf-8")
        (run_folder / "scores.jsonl").write_text("".join(
            json.dumps({"video": video, "scores": [0.5]}) + "\n" for video in self.videos.values()), encoding="utf-8")
        version = self.home / "models" / "hashtags" / "3"
        version.mkdir(parents=True)
        for folder in (model, version):
            (folder / "bundle.json").write_text(json.dumps({"name": "m1", "trained": {"dataset": self.dataset}}),
                                                encoding="utf-8")
        begun = self.home / "collect" / "research" / content_id(str(self.post.id))
        begun.with_suffix(".part").write_bytes(self.post.path.read_bytes()[:500])
        begun.with_suffix(".json").write_text("{}", encoding="utf-8")

    def traces(self, post, video):
        """What must be found nowhere afterwards."""
        clip = post.path.read_bytes()
        middle = len(clip) // 2
        return {"id": video.encode(), "short id": video[:24].encode(), "site's id": str(post.id).encode(),
                "bytes": clip[middle:middle + 48], "prediction": f"seen{video[:9]}".encode(),
                "download": content_id(str(post.id)).encode(), "picture": base64.b64encode(clip[:200])[:100]}

    def assertGone(self, traces, home=None):
        left = everything(home or self.home)
        self.assertEqual([name for name, bytes_ in traces.items() if bytes_ in left], [])

    def assertThere(self, traces, but=()):
        left = everything(self.home)
        self.assertEqual([name for name, bytes_ in traces.items() if bytes_ not in left and name not in but], [])

    def forget(self, *arguments, home=None):
        return run("forget", *arguments, "--json", home=home or self.home)


class Forget(ForgetCase):
    def test_a_video_is_nowhere_any_more(self):
        traces = self.traces(self.post, self.video)
        self.assertThere(traces)
        done = must(self.forget("--video", f"tiktok:{self.post.id}")).json()
        self.assertEqual((done["videos"], done["posts"], done["blobs"], done["downloads"], done["index"]), (1, 1, 2, 1, 1))
        self.assertEqual(done["datasets"], [{"dataset": self.dataset, "videos": 1}])
        self.assertEqual({pathlib.Path(path).name for path in done["reports"]},
                         {"report.html", "metrics.json", "scores.jsonl"})
        self.assertEqual(done["affected"], [{"model": model, "dataset": self.dataset, "forgotten": 1}
                                            for model in ("r1", "hashtags/3", "m1")])
        self.assertGone(traces)
        other = next(post for post in self.wanted if post.author != self.post.author)
        self.assertThere(self.traces(other, self.videos[str(other.id)]), but=("download", "picture"))

    def test_everything_else_still_works(self):
        must(self.forget("--video", self.video))
        shown = must(run("dataset", "show", self.dataset, "--json", home=self.home)).json()
        self.assertEqual((shown["dataset"], shown["forgotten"], sum(shown["videos"].values())), (self.dataset, 1, 15))
        self.assertEqual(must(run("dataset", "list", "--json", home=self.home)).json()["forgotten"], 1)
        again = must(run("dataset", "freeze", "--min-support", 4, "--val", 0, "--test", 0, "--json", home=self.home)).json()
        self.assertNotEqual(again["dataset"], self.dataset)
        self.assertEqual(sum(again["videos"].values()), 15)
        must(run("dataset", "stats", self.dataset, "--json", home=self.home))
        self.assertGone(self.traces(self.post, self.video))
        other = next(video for video in self.imported)
        found = must(run("search", f"seen{other[:9]}", "--json", home=self.home)).json()["results"]
        self.assertEqual([hit["video"] for hit in found], [other])
        self.assertEqual(json.loads((self.home / "runs/r1/metrics.json").read_text(encoding="utf-8"))["top1"], 0.5)

    def test_it_does_not_come_back(self):
        must(self.forget("--video", self.video))
        before = len(self.replica_.fetched())
        found = self.numbers(must(self.collect(self.replica_, *EARLIER[0])))
        self.assertEqual((found["outcomes"]["forgotten"], found["added"], found["failed"]), (1, 0, 0))
        self.assertEqual(len(self.replica_.fetched()), before)
        # The same bytes in another way.
        copy = self.folder / f"{self._testMethodName}.mp4"
        shutil.copy(self.post.path, copy)
        done = run("import", copy, "--json", home=self.home)
        self.assertStatus(done, 3)
        self.assertEqual((done.json()["added"], len(done.json()["rejected"])), (0, 1))
        self.assertIn("forgotten", done.json()["rejected"][0]["reason"])
        lines = self.folder / f"{self._testMethodName}.tags"
        lines.write_text(json.dumps({"video": str(copy), "model": "m", "tags": []}) + "\n", encoding="utf-8")
        self.assertEqual(run("index", "add", "--tags", lines, "--json", home=self.home).json()["failed"], 1)
        self.assertGone({**self.traces(self.post, self.video), "path": str(copy).encode()})

    def test_bytes_that_come_as_another_post_are_fetched_once_and_not_kept(self):
        other = self.wanted[1]
        home = self.folder / f"{self._testMethodName}-new"
        (home / "policies").mkdir(parents=True)
        shutil.copy(self.home / "policies" / "research.yaml", home / "policies")
        must(self.forget("--video", hashlib.sha256(other.path.read_bytes()).hexdigest(), home=home))
        for fetched, span in zip((8, 0), EARLIER):  # then it is known by its post
            before = len(self.replica_.fetched())
            found = self.numbers(must(self.collect(self.replica_, *span, home=home)))
            self.assertEqual(found["outcomes"]["forgotten"], 1)
            self.assertEqual(len(self.replica_.fetched()) - before, fetched)
        self.assertGone(self.traces(other, self.videos[str(other.id)]), home)

    def test_an_author_goes_by_name_with_all_videos(self):
        (name, many), = collections.Counter(post.author for post in self.wanted).most_common(1)
        theirs = [post for post in self.wanted if post.author == name]
        self.assertGreater(many, 1)
        author = dict(self.rows("id, author", "video"))[self.videos[str(theirs[0].id)]]
        done = must(self.forget("--author", name)).json()
        self.assertEqual((done["videos"], done["posts"]), (len(theirs), len(theirs)))
        for post in theirs:
            self.assertGone({**self.traces(post, self.videos[str(post.id)]), "author": author.encode(),
                             "name": name.encode()})
        found = self.numbers(must(self.collect(self.replica_, *EARLIER[0])))
        self.assertEqual(found["outcomes"]["forgotten"], len(theirs))
        # By hash, of those who were imported; other bytes of theirs are refused too.
        importer = {author for _, author in self.rows("id, author", "video WHERE source = 'import'")}
        self.assertEqual(len(importer), 1)
        self.assertEqual(must(self.forget("--author", importer.pop())).json()["videos"], len(self.imported))
        row = self.folder / f"{self._testMethodName}-rows.jsonl"
        clip = support.make_clips(self.folder / f"{self._testMethodName}-clips", set="look", classes=1, clips_per_class=1,
                                  seconds=0.5, size="80x64", seed=9)[0]
        row.write_text(json.dumps({"file": str(clip.relative_to(self.folder)), "author": "importer"}), encoding="utf-8")
        self.assertEqual(len(run("import", row, "--json", home=self.home).json()["rejected"]), 1)

    def test_again_and_of_what_was_never_there(self):
        must(self.forget("--video", self.video))
        again = must(self.forget("--video", self.video)).json()
        self.assertEqual((again["videos"], again["posts"], again["blobs"], again["index"]), (0, 0, 0, 0))
        self.assertEqual(len(again["affected"]), 3)  # they still learned from it
        must(self.forget("--video", "tiktok:1", "--video", "0" * 64, "--author", "nobody"))
        self.assertIn("forgot 0 videos", must(run("forget", "--resume", home=self.home)).out)
        for wrong in (["--video", "abc"], ["--video", "tiktok:"], ["--author", ""], []):
            self.assertStatus(run("forget", *wrong, home=self.home), 2)
        self.assertEqual(len(self.rows("id, source", "video")), 15)


class Killed(ForgetCase):
    def test_killed_at_any_moment_it_is_finished_by_the_next_one(self):
        traces = self.traces(self.post, self.video)
        begin = time.monotonic()
        rehearsal = self.folder / "rehearsal"
        shutil.copytree(self.home, rehearsal)
        must(self.forget("--video", self.video, home=rehearsal))
        whole = time.monotonic() - begin
        unfinished = 0
        for step in range(12):
            home = self.folder / f"killed-{step}"
            shutil.copytree(self.home, home)
            command = [support.PROGRAM, "--home", home, "forget", "--video", self.video, "--json"]
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  env=support.environment()) as child:
                time.sleep(whole * (step + 1) / 12)
                child.send_signal(signal.SIGKILL)
            base = sqlite3.connect(home / "catalog.db")
            there = base.execute("SELECT COUNT(*) FROM video WHERE id = ?", [self.video]).fetchone()[0]
            base.close()
            if there:  # killed before anything was acknowledged
                must(self.forget("--video", self.video, home=home))
            else:
                unfinished += any(bytes_ in everything(home) for bytes_ in traces.values())
                must(self.forget("--resume", home=home))
            self.assertGone(traces, home)
            shown = must(run("dataset", "show", self.dataset, "--json", home=home)).json()
            self.assertEqual((shown["forgotten"], sum(shown["videos"].values())), (1, 15))
            shutil.rmtree(home)
        print(f"{unfinished} of 12 kills left something for the next one")

    def test_what_is_unfinished_is_said_until_it_is_finished(self):
        reader = sqlite3.connect(self.home / "catalog.db", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM video").fetchone()
        try:
            blocked = self.forget("--video", self.video)
            self.assertStatus(blocked, 1)
            self.assertIn("another process", blocked.err)
        finally:
            reader.close()
        said = run("import", self.post.path, "--json", home=self.home)
        self.assertIn("forget --resume", said.err)
        self.assertIn("forgotten", said.json()["rejected"][0]["reason"])  # the tombstone counts from the beginning
        must(self.forget("--resume"))
        self.assertNotIn("forget --resume", must(run("dataset", "list", "--json", home=self.home)).err)
        self.assertNotIn("forget --resume", run("import", self.post.path, "--json", home=self.home).err)
        self.assertGone(self.traces(self.post, self.video))


class Torch(ForgetCase):
    """With libtorch: a training passes over what is forgotten, and says that its dataset is smaller."""

    def test_training_and_evaluation_pass_over_it(self):
        home, clips = self.folder / "torch", self.folder / "torch-clips"
        support.make_clips(clips, set="look", classes=4, clips_per_class=12, seconds=1, size="64x64")
        dataset = support.train_tiny(home, clips)
        must(run("evaluate", "--run", "tiny", "--json", *support.ONE_CORE, home=home))
        base = sqlite3.connect(home / "catalog.db")
        video = base.execute("SELECT id FROM video ORDER BY id").fetchone()[0]
        base.close()
        done = must(self.forget("--video", video, home=home)).json()
        self.assertEqual([one["model"] for one in done["affected"]], ["tiny"])
        self.assertNotIn(video.encode(), everything(home))
        must(run("train", "--dataset", dataset, "--recipe", home / "tiny.yaml", "--run", "again", *support.ONE_CORE, "--json",
                 home=home))
        must(run("evaluate", "--run", "again", "--json", *support.ONE_CORE, home=home))
        self.assertNotIn(video.encode(), everything(home))


if __name__ == "__main__":
    unittest.main()

"""The store in an object store (a real server that checks signatures): import, freeze, verify, migrate, gc, and back."""
import filecmp
import json
import os
import random
import shutil
import sqlite3
import time
import unittest

import support
from s3_server import KEYS, Line, S3Server, free_port
from support import must

DAY = 24 * 3600


def flip(path):
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


class StoreCase(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(S3Server())
        cls.clips = cls.folder / "clips"
        cls.files = support.make_clips(cls.clips, set="look", classes=2, clips_per_class=12, seconds=0.4, size="64x64")

    def setUp(self):
        self.home = self.folder / self._testMethodName
        self.bucket = self._testMethodName.replace("_", "-")[:60].strip("-")
        self.objects = self.server.bucket(self.bucket)
        self.url = self.server.url(f"{self.bucket}/p")

    def run_reeltag(self, *words, home=None, url=None, **environment):
        place = ["--set", f"store.url={url or self.url}", "--set", "store.retry_seconds=1", "--set", "store.timeout=5"]
        return support.run(*words, *place, home=home or self.home, **{**KEYS, **environment})

    def local(self, *words, home=None):
        return support.run(*words, home=home or self.home)

    def keys(self, folder):
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")
                      if path.is_file() and ".reeltag-tmp" not in path.parts and ".sgwtmp" not in path.parts)

    def age(self, path, seconds=2 * DAY):
        then = time.time() - seconds
        os.utime(path, (then, then))

    def orphan(self, folder, digit, old=True):
        path = folder / "videos" / f"{digit * 64}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"orphan")
        if old:
            self.age(path)
        return f"videos/{path.name}"


class ObjectStore(StoreCase):
    def test_import_freeze_and_verify(self):
        imported = must(self.run_reeltag("import", self.clips, "--json")).json()
        self.assertEqual(imported, {"added": 24, "duplicate": 0, "rejected": []})
        self.assertEqual(must(self.run_reeltag("import", self.clips, "--json")).json()["duplicate"], 24)
        self.assertEqual(len(self.keys(self.objects / "p")), 24)
        self.assertFalse((self.home / "store").exists())
        frozen = self.run_reeltag("dataset", "freeze", "--labels", "single", "--min-support", "4", "--val", "20", "--test",
                                  "20", "--json")
        self.assertEqual(sum(must(frozen).json()["videos"].values()), 24)
        must(self.run_reeltag("dataset", "stats", "--json"))  # draws pictures of the videos
        self.assertNotEqual(list((self.home / "cache" / "store").glob("*.mp4")), [])
        found = must(self.run_reeltag("store", "verify", "--deep", "--json")).json()
        self.assertEqual((found["videos"], found["deep"]), (24, True))
        for nothing in ("wrong", "orphans", "foreign", "unfinished"):
            self.assertEqual(found[nothing], [])

    def test_verify_names_each_kind_of_damage(self):
        must(self.run_reeltag("import", self.clips))
        missing, short, flipped = [self.objects / "p" / key for key in self.keys(self.objects / "p")[:3]]
        missing.unlink()
        short.write_bytes(short.read_bytes()[:-1])
        flip(flipped)
        orphan = self.orphan(self.objects / "p", "a")
        (self.objects / "p" / "notes.txt").write_text("mine")
        quick = self.run_reeltag("store", "verify", "--json")
        self.assertStatus(quick, 3)
        self.assertEqual({one["key"].split("/")[1]: one["what"] for one in quick.json()["wrong"]},
                         {missing.name: "missing", short.name: "size"})
        deep = self.run_reeltag("store", "verify", "--deep", "--json")
        self.assertStatus(deep, 3)
        self.assertEqual({one["key"].split("/")[1]: one["what"] for one in deep.json()["wrong"]},
                         {missing.name: "missing", short.name: "size", flipped.name: "bytes"})
        self.assertEqual(set(deep.errors()), {path.stem for path in (missing, short, flipped)})
        self.assertEqual([one["key"] for one in deep.json()["orphans"]], [orphan])
        self.assertEqual([one["key"] for one in deep.json()["foreign"]], ["notes.txt"])
        self.assertIn("import the file again", self.run_reeltag("store", "verify").err)
        missing_again = self.run_reeltag("import", self.clips, "--json")
        self.assertEqual(must(missing_again).json()["duplicate"], 24)
        self.assertEqual([one["what"] for one in self.run_reeltag("store", "verify", "--deep", "--json").json()["wrong"]],
                         ["bytes"])

    def test_credentials_come_from_the_environment_only(self):
        for url in ("s3://KEY:hush77@bucket/p", "s3://bucket/p?secret_key=hush77"):
            for words in (["store", "verify"], ["config", "show"], ["dataset", "list"]):
                refused = self.run_reeltag(*words, url=url)
                self.assertStatus(refused, 2)
                self.assertIn("AWS_SECRET_ACCESS_KEY", refused.err)
                self.assertNotIn("hush77", refused.out + refused.err)
        wrong = self.run_reeltag("store", "verify", AWS_SECRET_ACCESS_KEY="hush77")
        self.assertStatus(wrong, 1)
        self.assertIn("check the credentials", wrong.err)
        self.assertNotIn("hush77", wrong.err)
        none = self.run_reeltag("store", "verify", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="",
                                AWS_SHARED_CREDENTIALS_FILE="/nonexistent")
        self.assertStatus(none, 1)
        self.assertIn("there are no credentials", none.err)

    def test_no_server_and_no_bucket_are_said_and_commands_without_a_store_do_not_care(self):
        nobody = self.server.url(f"{self.bucket}/p", free_port())
        begin = time.monotonic()
        away = self.run_reeltag("import", self.clips, "--json", url=nobody)
        self.assertLess(time.monotonic() - begin, 30)
        self.assertStatus(away, 1)
        self.assertEqual(away.errors()[None]["code"], "unavailable")
        must(self.run_reeltag("dataset", "list", url=nobody))
        bucket = self.run_reeltag("store", "verify", "--json", url=self.server.url("no-such-bucket"))
        self.assertStatus(bucket, 1)
        self.assertEqual(bucket.errors()[None]["code"], "not_found")


class Migrate(StoreCase):
    def test_there_and_back_resumed_after_a_broken_line(self):
        must(self.local("import", self.clips))
        source = self.home / "store"
        large = source / "other" / "large one+%.bin"
        large.parent.mkdir()
        large.write_bytes(random.Random(1).randbytes(24 << 20))
        before = self.keys(source)
        with Line(self.server.port, 15 << 20) as line:
            broken = support.run("store", "migrate", "--to", self.server.url(f"{self.bucket}/p", line.port), "--json",
                                 "--set", "store.retry_seconds=0", home=self.home, **KEYS)
        self.assertStatus(broken, 1)
        self.assertEqual(broken.errors()[None]["code"], "unavailable")
        part = set(self.keys(self.objects / "p")) if (self.objects / "p").exists() else set()
        self.assertNotIn("other/large one+%.bin", part)

        moved = must(support.run("store", "migrate", "--to", self.url, "--json", home=self.home, **KEYS)).json()
        self.assertEqual((moved["blobs"], moved["copied"], moved["there"], moved["failed"]),
                         (25, 25 - len(part), len(part), 0))
        self.assertEqual(self.keys(self.objects / "p"), before)
        self.assertEqual(self.keys(source), before, "the source is left alone")
        again = must(support.run("store", "migrate", "--to", self.url, "--deep", "--json", home=self.home, **KEYS)).json()
        self.assertEqual((again["copied"], again["there"]), (0, 25))

        # What the broken line left is seen and cleared up.
        left = must(self.run_reeltag("store", "verify", "--json")).json()["unfinished"]
        self.assertEqual([one["name"] for one in left], ["other/large one+%.bin"])
        self.assertEqual(must(self.run_reeltag("store", "gc", "--json")).json()["unfinished"], [], "too young")
        cleared = must(self.run_reeltag("store", "gc", "--older-than", "0", "--json")).json()
        self.assertEqual([one["name"] for one in cleared["unfinished"]], ["other/large one+%.bin"])
        self.assertEqual(must(self.run_reeltag("store", "verify", "--deep", "--json")).json()["unfinished"], [])

        back = self.folder / "back"
        must(self.run_reeltag("store", "migrate", "--to", back))
        self.assertEqual(self.keys(back), before)
        self.assertEqual(filecmp.cmpfiles(source, back, before, shallow=False), (before, [], []))

    def test_a_blob_that_is_not_what_its_name_says_is_not_copied(self):
        must(self.local("import", self.files[0], self.files[1]))
        bad = sorted((self.home / "store" / "videos").iterdir())[0]
        flip(bad)
        moved = self.local("store", "migrate", "--to", self.folder / "other", "--json")
        self.assertStatus(moved, 3)
        self.assertEqual((moved.json()["copied"], moved.json()["failed"]), (1, 1))
        self.assertIn(bad.name, moved.err)
        self.assertNotIn(f"videos/{bad.name}", self.keys(self.folder / "other"))
        self.assertStatus(self.local("store", "migrate", "--to", self.home / "store"), 2)


class Clear(StoreCase):
    def check(self, reeltag, folder):
        must(reeltag("import", self.clips))
        for path in (folder / "videos").iterdir():
            self.age(path)
        kept = self.keys(folder)
        old, young = self.orphan(folder, "a"), self.orphan(folder, "b", old=False)
        wanted = kept[0].split("/")[1].split(".")[0]
        features = {f"features/net/{wanted}.f32": True, f"features/net/{'c' * 64}.f32": False, "features/net/seconds": True,
                    "mine/notes.txt": True}
        for key in features:
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(b"1234")
            self.age(folder / key)
        everything = self.keys(folder)
        going = sorted([old, *(key for key, stays in features.items() if not stays)])
        dry = must(reeltag("store", "gc", "--dry-run", "--json")).json()
        self.assertEqual(sorted(one["key"] for one in dry["removed"]), going)
        self.assertEqual((dry["dry_run"], dry["young"]), (True, 1))
        self.assertEqual(self.keys(folder), everything)
        self.assertEqual(sorted(one["key"] for one in must(reeltag("store", "gc", "--json")).json()["removed"]), going)
        self.assertEqual(self.keys(folder), sorted(set(everything) - set(going)))
        self.assertIn(young, self.keys(folder))
        self.assertEqual(must(reeltag("store", "gc", "--json")).json()["removed"], [])

    def test_gc_in_a_folder(self):
        self.check(self.local, self.home / "store")

    def test_gc_in_an_object_store(self):
        self.check(self.run_reeltag, self.objects / "p")

    def test_half_written_files_of_a_folder_go(self):
        must(self.local("import", self.files[0]))
        half = self.home / "store" / ".reeltag-tmp" / "1-2-3"
        half.write_bytes(b"half")
        self.assertEqual([one["name"] for one in must(self.local("store", "verify", "--json")).json()["unfinished"]],
                         ["1-2-3"])
        must(self.local("store", "gc"))
        self.assertTrue(half.exists(), "too young")
        must(self.local("store", "gc", "--older-than", "0"))
        self.assertFalse(half.exists())

    def test_what_a_frozen_dataset_needs_stays_and_another_homes_store_is_not_emptied(self):
        must(self.local("import", self.clips))
        must(self.local("dataset", "freeze", "--labels", "single", "--min-support", "4", "--val", "20", "--test", "20"))
        store = self.home / "store"
        before = self.keys(store)
        other = self.folder / "other-home"
        words = ["store", "gc", "--older-than", "0", "--set", f"store.url={store}", "--json"]
        refused = self.local(*words, home=other)
        self.assertStatus(refused, 2)
        self.assertIn("--everything", refused.err)
        shutil.copytree(self.home / "datasets", other / "datasets")
        self.assertEqual(must(self.local(*words, home=other)).json()["removed"], [])
        self.assertEqual(self.keys(store), before)
        shutil.rmtree(other / "datasets")
        self.assertEqual(len(must(self.local(*words, "--everything", home=other)).json()["removed"]), 24)
        self.assertEqual(self.keys(store), [])

    def test_a_dataset_that_cannot_be_read_stops_it(self):
        must(self.local("import", self.clips))
        self.orphan(self.home / "store", "a")
        must(self.local("dataset", "freeze", "--labels", "single", "--min-support", "4", "--val", "20", "--test", "20"))
        listing = next((self.home / "datasets").glob("*/videos.jsonl"))
        listing.write_text("broken")
        self.assertStatus(self.local("store", "gc"), 1)
        self.assertEqual(len(self.keys(self.home / "store")), 25)


class ImportFromObjectStore(StoreCase):
    def lay_out(self, files):
        for key, data in files.items():
            path = self.objects / "in" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return self.server.url(f"{self.bucket}/in")

    def take(self, url):
        return support.run("import", url, "--json", home=self.home, **KEYS)

    def hashtags(self):
        base = sqlite3.connect(self.home / "catalog.db")
        try:
            return dict(base.execute("SELECT h.name, count(*) FROM video_hashtag l JOIN hashtag h ON "
                                     "h.row_no = l.hashtag_row GROUP BY h.name").fetchall())
        finally:
            base.close()

    def test_label_folders(self):
        clips = [path.read_bytes() for path in self.files[:4]]
        url = self.lay_out({"my cats/one+1.mp4": clips[0], "my cats/deep/two.mp4": clips[1], "dogs/\U0001F436.mp4": clips[2],
                            "dogs/again.mp4": clips[0], "beside.mp4": clips[3], "dogs/text.mp4": b"not a video",
                            ".hidden/x.mp4": b"not looked at"})
        done = self.take(url)
        self.assertStatus(done, 3)
        self.assertEqual((done.json()["added"], done.json()["duplicate"]), (4, 1))
        self.assertEqual([one["path"] for one in done.json()["rejected"]], [f"s3://{self.bucket}/in/dogs/text.mp4"])
        self.assertNotIn("/tmp", json.dumps(done.json()))
        self.assertEqual(self.hashtags(), {"my cats": 2, "dogs": 2})
        self.assertEqual(len(self.keys(self.home / "store")), 4)
        self.assertEqual(self.take(url).json()["duplicate"], 5)
        must(self.local("store", "verify", "--deep"))

    def test_manifests_info_files_and_single_videos(self):
        clips = [path.read_bytes() for path in self.files[:4]]
        rows = [{"file": "v/a.mp4", "caption": "sea", "hashtags": ["Beach"]}, {"file": "v/gone.mp4", "hashtags": ["x"]}]
        info = {"id": "77", "title": "t", "description": "look #Otter", "uploader": "u"}
        url = self.lay_out({"m/manifest.jsonl": "\n".join(map(json.dumps, rows)).encode(), "m/v/a.mp4": clips[0],
                            "m/v/not-listed.mp4": clips[1], "y/b.mp4": clips[2], "y/b.info.json": json.dumps(info).encode(),
                            "single.mp4": clips[3]})
        for manifest in ("m", "m/manifest.jsonl"):
            done = self.take(url.replace("/in?", f"/in/{manifest}?"))
            self.assertStatus(done, 3)
            self.assertEqual([one["path"] for one in done.json()["rejected"]], [f"s3://{self.bucket}/in/m/v/gone.mp4"])
        self.assertEqual(self.hashtags(), {"beach": 1})
        must(self.take(url.replace("/in?", "/in/y?")))
        self.assertEqual(must(self.take(url.replace("/in?", "/in/single.mp4?"))).json()["added"], 1)
        self.assertEqual(self.hashtags(), {"beach": 1, "otter": 1})
        self.assertEqual(len(self.keys(self.home / "store")), 3)
        none = self.take(url.replace("/in?", "/in/nothing?"))
        self.assertStatus(none, 1)
        self.assertIn(f"s3://{self.bucket}/in/nothing", none.err)


if __name__ == "__main__":
    unittest.main()

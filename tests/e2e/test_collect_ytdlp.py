"""`reeltag collect --source ytdlp`: the real yt-dlp and the real program against a replica of a site on loopback."""
import hashlib
import json
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import time
import unittest

import support
from support import must, run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "replica"))
from tiktok_site import Site  # noqa: E402

POLICY = "terms: test\nallowed_by: the test\nrequests_per_minute: 60000\nretention_days: 1\n"
PYTHON = support.ROOT / ".deps" / "venv" / "bin" / "python"
WWW = "https://www.tiktok.com"
NAME = "cats"  # of a profile with most of the posts; asked for as a hashtag by way of collect.ytdlp.address


class YtdlpCase(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clips = cls.folder / "clips"
        support.make_clips(cls.clips, set="look", classes=2, clips_per_class=10, seconds=0.4, size="64x64")
        manifest = cls.clips / "manifest.jsonl"
        rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines()]
        for number, row in enumerate(rows, 1):
            tag = row["hashtags"][0]
            row.update(author=NAME if number <= 18 else "other.one", hashtags=[tag],
                       caption=f"number {number} #{tag.upper()} #Über#wow", created=1_704_067_200 + 3600 * number)
        manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        with Site(cls.clips) as site:
            cls.posts = site.posts
        cls.wanted = [post for post in cls.posts if post.author == NAME]

    def setUp(self):
        self.home = self.folder / self._testMethodName
        self.allow(self.home)

    @staticmethod
    def allow(home, policy=POLICY):
        (home / "policies").mkdir(parents=True)
        (home / "policies" / "ytdlp.yaml").write_text(policy, encoding="utf-8")

    def site(self, *faults, **more):
        return self.enterContext(Site(self.clips, faults, **more))

    def words(self, site, *more, tag=NAME, limit=100):
        return ["collect", "--source", "ytdlp", *(["--hashtag", tag] if tag else []), "--limit", limit, "--json",
                "--set", f"collect.ytdlp.address={WWW}/@{{hashtag}}", "--set", f"collect.ytdlp.python={PYTHON}",
                "--set", f"collect.ytdlp.proxy={site.proxy}", "--set", f"http.ca_file={site.certificate}",
                "--set", "http.allow=[127.0.0.1]", "--set", "collect.backoff=0.01", "--set", "collect.ytdlp.batch=20",
                *more]

    def collect(self, site, *more, home=None, **options):
        return run(*self.words(site, *more, **options), home=home or self.home)

    def numbers(self, ended, of=NAME):
        found = {**ended.json()["hashtags"], **ended.json().get("addresses", {})}[of]
        self.assertEqual(found["seen"], found["added"] + found["duplicate"] + found["failed"], ended)
        return found

    def rows(self, columns, table, home=None):
        base = sqlite3.connect((home or self.home) / "catalog.db")
        try:
            return base.execute(f"SELECT {columns} FROM {table} ORDER BY 1, 2").fetchall()
        finally:
            base.close()

    def outcomes(self):
        """{post's number: outcome} of all that went wrong."""
        numbers = {str(post.id): post.number for post in self.posts}
        rows = self.rows("id, outcome", "post")
        return {numbers[identity]: outcome for identity, outcome in rows if outcome != "added"}

    @staticmethod
    def pages(site):
        return [one["path"] for one in site.requests if "/video/" in one["path"] and one["host"] == "www.tiktok.com"]

    @staticmethod
    def address(post):
        return f"{WWW}/@{post.author}/video/{post.id}"


class Collect(YtdlpCase):
    def test_videos_and_hashtags_come_in_once(self):
        site = self.site()
        ended = must(self.collect(site))
        found = self.numbers(ended)
        self.assertEqual((found["outcomes"], found["ended"]), ({"added": 18}, "exhausted"), ended)
        want = {(hashlib.sha256(post.path.read_bytes()).hexdigest(), str(post.id)) for post in self.wanted}
        self.assertEqual(set(self.rows("id, source_id", "video")), want)
        typed = {}
        tags = "video_hashtag l JOIN video v ON v.row_no = l.video_row"
        for identity, _, name in self.rows("v.source_id, l.position, l.typed", tags):
            typed.setdefault(identity, []).append(name)
        for post in self.wanted:
            self.assertEqual(typed[str(post.id)], [post.hashtags[0], "über", "wow", NAME])
        self.assertEqual({row[0] for row in self.rows("site, id", "post")}, {"tiktok"})
        for path in (self.home / "store").rglob("*.mp4"):
            self.assertEqual(hashlib.sha256(path.read_bytes()).hexdigest(), path.stem)
        self.assertEqual({len(author) for author, _ in self.rows("author, id", "post")}, {64})

        fetched, asked = len(site.fetched()), len(self.pages(site))
        self.assertEqual((fetched, asked), (18, 18))
        again = self.numbers(must(self.collect(site)))
        self.assertEqual((again["added"], again["duplicate"], again["failed"]), (0, 18, 0))
        self.assertEqual((len(site.fetched()), len(self.pages(site))), (fetched, asked), "asked for twice")
        self.assertEqual([path.name for path in (self.home / "collect" / "ytdlp").iterdir()], [])

    def test_the_limit_holds_and_the_next_run_goes_on(self):
        site = self.site()
        for more in (7, 7, 4):
            self.assertEqual(self.numbers(must(self.collect(site, limit=7)))["added"], more)
        self.assertEqual(len(self.pages(site)), 18)

    def test_addresses_of_the_configuration_and_a_file(self):
        site = self.site()
        others = [post for post in self.posts if post.author != NAME]
        urls = self.home / "urls.txt"
        urls.write_text(f"# more\n{WWW}/@other.one\n", encoding="utf-8")
        one = self.address(self.wanted[0])
        more = ["--set", f"collect.ytdlp.urls=[{one}]", "--set", f"collect.ytdlp.urls_file={urls}"]
        ended = must(self.collect(site, *more, tag=None))
        self.assertEqual(ended.json()["hashtags"], {})
        self.assertEqual(self.numbers(ended, one)["outcomes"], {"added": 1})
        self.assertEqual(self.numbers(ended, f"{WWW}/@other.one")["outcomes"], {"added": len(others)})
        self.assertEqual({row[0] for row in self.rows("source_id, id", "video")},
                         {str(post.id) for post in [self.wanted[0], *others]})
        self.assertNotIn("other.one", "".join(str(row) for table in ("video", "post", "note")
                                              for row in self.rows("*", table)))
        names = {row[0] for row in self.rows("name, row_no", "hashtag")}
        self.assertFalse([name for name in names if "http" in name])
        pages = len(self.pages(site))
        again = self.numbers(must(self.collect(site, *more, tag=None)), one)
        self.assertEqual(again["outcomes"], {"duplicate": 1})
        self.assertEqual(len(self.pages(site)), pages)

    def test_what_another_source_brought_is_not_fetched_again(self):
        folder = self.folder / "by-hand"
        folder.mkdir()
        post = self.wanted[0]
        (folder / "x.mp4").write_bytes(post.path.read_bytes())
        (folder / "x.info.json").write_text(json.dumps({"id": str(post.id), "extractor": "TikTok", "uploader": NAME,
                                                        "description": post.caption}), encoding="utf-8")
        must(run("import", folder, "--json", home=self.home))
        site = self.site()
        found = self.numbers(must(self.collect(site)))
        self.assertEqual(found["outcomes"], {"added": 17, "duplicate": 1})
        self.assertNotIn(str(post.id), site.fetched())


class Faults(YtdlpCase):
    def test_each_item_ends_in_its_outcome_and_the_rest_arrives(self):
        site = self.site("private:1", "deleted:2", "page-gone:3", "page-broken:4", "html:5", "expired:6", "no-date:7",
                         "no-author:8", "no-address:9", "unplayable:10", "page-hang:11", "busy:12", "break:13")
        ended = self.collect(site, "--set", "collect.ytdlp.deadline=4")
        self.assertStatus(ended, 3)
        self.assertEqual(self.outcomes(), {
            1: "private", 2: "blocked", 3: "deleted", 4: "schema_changed", 5: "not_a_video", 6: "link_expired",
            7: "schema_changed", 8: "schema_changed", 9: "not_a_video", 10: "decode_failed", 11: "unavailable"})
        found = self.numbers(ended)
        self.assertEqual((found["added"], found["failed"], found["ended"]), (7, 11, "exhausted"), ended)
        for number in (1, 2, 3):
            self.assertIn(str(self.posts[number - 1].id), ended.errors())
        self.assertEqual(len(list((self.home / "store").rglob("*.mp4"))), 7)
        # A later collection asks again only for what may have passed.
        before = len(self.pages(site))
        self.collect(site, "--set", "collect.ytdlp.deadline=4")
        again = {path.rpartition("/")[2] for path in self.pages(site)[before:]}
        self.assertEqual(again, {str(self.posts[number - 1].id) for number in (2, 4, 6, 7, 8)})  # 11 was never answered

    def test_a_challenge_stops_the_run_and_is_not_answered(self):
        site = self.site("page-challenge:9")  # the newest come first: 18 to 10 are before it
        ended = self.collect(site)
        self.assertStatus(ended, 3)
        found = self.numbers(ended)
        self.assertEqual((found["ended"], found["outcomes"]), ("blocked", {"added": 9, "blocked": 1}), ended)
        asked = [path for path in self.pages(site) if path.endswith(str(self.posts[8].id))]
        self.assertEqual(len(asked), 1, "a challenge page was answered")
        self.assertFalse([path for path in self.pages(site) if path.endswith(str(self.posts[7].id))])
        requests = len(site.requests)
        again = self.collect(site)
        self.assertStatus(again, 1)
        self.assertIn("nothing is asked", again.err)
        self.assertEqual(len(site.requests), requests)

    def test_many_refusals_in_a_row_stop_the_run(self):
        site = self.site(*(f"deleted:{number}" for number in (16, 15, 14, 13)))
        found = self.numbers(self.collect(site))
        self.assertEqual((found["ended"], found["outcomes"]), ("blocked", {"added": 2, "blocked": 3}))

    def test_a_hashtag_that_yt_dlp_cannot_list(self):
        site = self.site()
        more = ["--set", f"collect.ytdlp.address={WWW}/tag/{{hashtag}}",
                "--set", f"collect.ytdlp.urls=[{self.address(self.wanted[0])}]"]
        ended = self.collect(site, *more)
        self.assertStatus(ended, 3)
        self.assertEqual(self.numbers(ended)["ended"], "not_listed")
        self.assertIn("broken", ended.err)
        # The others are asked for all the same.
        self.assertEqual(self.numbers(ended, self.address(self.wanted[0]))["added"], 1)
        self.assertFalse([one for one in site.requests if "/tag/" in one["path"]])

    def test_a_crash_is_survived(self):
        wrapper = self.folder / "crash-once"
        flag = self.folder / "crashed"
        wrapper.write_text(f"#!/bin/sh\n[ -e {flag} ] || {{ : >{flag}; kill -9 $$; }}\nexec {PYTHON} \"$@\"\n",
                           encoding="utf-8")
        wrapper.chmod(0o755)
        found = self.numbers(must(self.collect(self.site(), "--set", f"collect.ytdlp.python={wrapper}")))
        self.assertEqual(found["added"], 18)

    def test_other_machines_of_the_own_network_are_not_reached(self):
        site = self.site()
        words = self.words(site, "--set", "collect.ytdlp.proxy=", "--set", "http.allow=[]",
                           "--set", f"collect.ytdlp.urls=[http://127.0.0.1:{site.server.server_port}/x]", tag=None)
        ended = run(*words, home=self.home)
        self.assertStatus(ended, 3)
        self.assertIn("not a public address", ended.err)
        self.assertEqual(site.requests, [])


class Allowed(YtdlpCase):
    def test_without_a_policy_nothing_is_asked(self):
        (self.home / "policies" / "ytdlp.yaml").unlink()
        site = self.site()
        ended = self.collect(site)
        self.assertStatus(ended, 2)
        self.assertIn("policies/ytdlp.yaml", ended.err)
        self.assertEqual(site.requests, [])

    def test_a_dry_run_asks_nothing(self):
        site = self.site()
        shown = must(self.collect(site, "--dry-run")).json()
        self.assertTrue(shown["allowed"])
        self.assertEqual([one["url"] for one in shown["requests"]], [f"{WWW}/@{NAME}"])
        self.assertEqual(site.requests, [])

    def test_the_rate_holds_for_all_requests(self):
        self.home.joinpath("policies", "ytdlp.yaml").write_text(POLICY.replace("60000", "300"), encoding="utf-8")
        site = self.site()
        began = time.monotonic()
        must(self.collect(site, limit=6))
        took, asked = time.monotonic() - began, len(site.requests)
        self.assertEqual(asked, 3 + 6 + 6)  # profile and its list on two pages; pages of videos; bytes
        self.assertGreater(took, (asked - 4) * 0.2, "more than 300 a minute")  # three may follow each other at first

    def test_wrong_addresses_are_refused(self):
        site = self.site()
        for bad in ("file:///etc/passwd", "ytsearch:cats", "--version"):
            ended = self.collect(site, "--set", f"collect.ytdlp.urls=['{bad}']")
            self.assertStatus(ended, 2)
        self.assertStatus(self.collect(site, "--set", "collect.ytdlp.address=https://x.test/"), 2)
        self.assertStatus(run("collect", "--source", "ytdlp", "--json", home=self.home), 2)
        self.assertEqual(site.requests, [])


class Killed(YtdlpCase):
    def content(self, home):
        tags = "video_hashtag l JOIN hashtag h ON h.row_no = l.hashtag_row JOIN video v ON v.row_no = l.video_row"
        videos = "id, store_key, source, source_id, split_group, caption, size_bytes, attributes"
        posts = "id, site, source, video, outcome, round_no, caption, hashtags, created, attributes"
        return (self.rows(videos, "video", home), self.rows("v.id, l.position, h.name", tags, home),
                self.rows(posts, "post", home),
                sorted(path.name for path in (home / "store").rglob("*.mp4")))

    def start(self, site):
        command = [str(word) for word in (support.PROGRAM, "--home", self.home, *self.words(site))]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, env=support.environment())
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def stored(self):
        if not (self.home / "catalog.db").exists():
            return set()
        try:
            return {row[0] for row in self.rows("source_id, id", "video")}
        except sqlite3.OperationalError:
            return set()

    def ended(self):
        try:
            return '"open":false' in dict(self.rows("name, body", "note")).get("collect/ytdlp/round", "")
        except sqlite3.OperationalError:
            return False

    def children(self):
        """Processes that run the script for this home's program, whoever is their parent by now."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                asking = any(word.endswith(b"bridges/ytdlp/ask.py") for word in words)
                if asking and f"REELTAG_KILLED={self.home}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(entry.name)
            except OSError:
                pass  # ended meanwhile
        return found

    def test_killed_again_and_again_it_ends_as_an_undisturbed_run(self):
        faults = ("private:1", "deleted:4", "expired:6", "no-author:8")
        undisturbed = self.folder / "undisturbed"
        self.allow(undisturbed)
        want = self.collect(self.site(*faults), home=undisturbed)
        self.assertStatus(want, 3)
        (self.home / "author.salt").write_bytes((undisturbed / "author.salt").read_bytes())  # the same hashes
        os.environ["REELTAG_KILLED"] = str(self.home)
        self.addCleanup(os.environ.pop, "REELTAG_KILLED")
        site = self.site(*faults, delay=0.05)
        dice = random.Random(7)
        kills = 0
        for _ in range(40):
            stored, before = self.stored(), len(site.fetched())
            process = self.start(site)
            try:
                out, _ = process.communicate(timeout=dice.uniform(0.3, 4.0) if kills < 10 else 120)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills += 1
                end = time.monotonic() + 10
                while self.children() and time.monotonic() < end:
                    time.sleep(0.05)
                self.assertEqual(self.children(), [], "a child was left behind")
                self.assertEqual(stored & set(site.fetched()[before:]), set(), "what was stored was fetched again")
                if not self.ended():
                    continue
                out = None  # all was done, and the kill came before the report
            break
        self.assertGreater(kills, 2)
        self.assertEqual(self.content(self.home), self.content(undisturbed))
        if out is not None:
            self.assertEqual(process.returncode, 3)
            self.assertEqual(json.loads(out), want.json())

    def test_a_signal_ends_it_in_order(self):
        site = self.site(delay=0.1)
        process = self.start(site)
        end = time.monotonic() + 60
        while not self.pages(site) and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 143, err)
        self.assertEqual(self.numbers(must(self.collect(site)))["failed"], 0)


if __name__ == "__main__":
    unittest.main()

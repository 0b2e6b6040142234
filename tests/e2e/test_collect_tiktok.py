"""`reeltag collect --source tiktok`: TikTokApi and Chromium as they are, against a stand-in for the site on loopback."""
import hashlib
import json
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import time
import unittest
import uuid

import support
from support import must, run
from test_collect import POLICY, CollectCase
from tiktok_site import Site

PYTHON = support.ROOT / ".deps" / "venv" / "bin" / "python"  # has what bridges/tiktok/requirements.txt pins
RESUMED, PARTIAL = 206, "collect/tiktok"


def processes_with(mark):
    """The commands of the processes that have this text in their environment."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes():
                found.append((int(entry.name), (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()))
        except OSError:
            continue  # it has ended, or is another user's
    return [(number, command) for number, command in found if command]


class TikTokCase(CollectCase):
    clips_per_class = 8

    @classmethod
    def setUpClass(cls):
        support.Case.setUpClass.__func__(cls)
        cls.clips = cls.folder / "clips"
        support.make_clips(cls.clips, set="look", classes=2, clips_per_class=cls.clips_per_class, seconds=0.4, size="64x64")
        with Site(cls.clips) as site:
            cls.posts = site.posts
        cls.tag = cls.posts[0].hashtags[0]
        cls.wanted = [post for post in cls.posts if post.has(cls.tag)]

    def setUp(self):
        self.home = self.new_home(self._testMethodName)
        self.mark = f"LC_REELTAG_TEST_MARK={uuid.uuid4()}"  # a name that passes to the browser
        self.addCleanup(self.assert_no_child_left)

    def new_home(self, name):
        home = self.folder / name
        (home / "policies").mkdir(parents=True)
        (home / "policies" / "tiktok.yaml").write_text(POLICY, encoding="utf-8")
        return home

    def site(self, *faults, **more):
        return self.enterContext(Site(self.clips, faults, **more))

    def env(self, **more):
        name, _, value = self.mark.partition("=")
        return {name: value, **more}

    def words(self, site, *more, media=True, limit=1000):
        del media
        return ["collect", "--source", "tiktok", "--hashtag", self.tag, "--limit", limit, "--json",
                "--set", "http.allow=[127.0.0.1]", "--set", f"collect.tiktok.proxy={site.proxy}",
                "--set", f"collect.tiktok.ca_file={site.certificate}", "--set", f"collect.tiktok.python={PYTHON}",
                "--set", "collect.backoff=0.01", *more]

    def collect(self, site, *more, home=None, env=None, **options):
        return run(*self.words(site, *more, **options), home=home or self.home, **self.env(**(env or {})))

    def assert_no_child_left(self):
        end = time.monotonic() + 20
        while (left := processes_with(self.mark)) and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(left, [], "processes were left behind")

    def blobs(self, home=None):
        """What the store holds. What a killed process was writing lies apart, and is removed ten minutes later."""
        store = (home or self.home) / "store"
        names = {path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file()}
        return {name for name in names if not name.startswith(".reeltag-tmp/")}

    def assert_whole(self, home=None):
        """The store holds what the catalog names and nothing else; no download is left over."""
        self.assertEqual(self.blobs(home), {key for key, _ in self.rows("store_key, id", "video", home)})
        self.assertEqual(list(((home or self.home) / PARTIAL).iterdir()), [])


class Many(TikTokCase):
    clips_per_class = 64

    def test_sixty_videos_over_three_pages_come_in_once(self):
        site = self.site()
        found = self.numbers(must(self.collect(site)))
        self.assertEqual((found["added"], found["outcomes"], found["ended"]), (64, {"added": 64}, "exhausted"))
        want = {(hashlib.sha256(post.path.read_bytes()).hexdigest(), str(post.id)) for post in self.wanted}
        self.assertEqual(set(self.rows("id, source_id", "video")), want)
        self.assertEqual(sorted(site.fetched()), sorted(str(post.id) for post in self.wanted))
        asked = [one["path"].partition("?")[0] for one in site.requests if one["host"] == "www.tiktok.com"]
        self.assertEqual([asked.count(f"/{path}") for path in ("", "api/challenge/detail/", "api/challenge/item_list/")],
                         [1, 1, 3])
        self.assert_whole()
        self.assert_hashtags_and_authors()
        again = self.numbers(must(self.collect(site)))
        self.assertEqual(again["outcomes"], {"duplicate": 64})
        self.assertEqual(len(site.fetched()), 64, "something was fetched twice")
        self.assertTrue(site.tunnel.connected)
        self.assertTrue(all("tiktok.com:443" in host for host in site.tunnel.connected))

    def assert_hashtags_and_authors(self):
        tags = {}
        for video, name in self.rows("v.source_id, h.name", "video_hashtag l JOIN hashtag h ON h.row_no = l.hashtag_row "
                                                            "JOIN video v ON v.row_no = l.video_row"):
            tags.setdefault(video, set()).add(name)
        self.assertEqual(tags, {str(post.id): {tag.casefold() for tag in post.hashtags} for post in self.wanted})
        text = "".join(str(row) for table in ("video", "post", "note") for row in self.rows("*", table))
        for author in {post.author for post in self.wanted}:
            self.assertNotIn(f"{author}\"", text)
            self.assertNotIn(f"'{author}'", text)
        self.assertEqual({len(author) for author, _ in self.rows("author, id", "post")}, {64})

    def test_killed_at_twenty_moments_it_ends_as_an_undisturbed_run(self):
        numbers = [post.number for post in self.wanted]
        faults = [f"deleted:{numbers[3]}", f"expired:{numbers[17]}", f"no-author:{numbers[33]}", f"cut:{numbers[60]}"]
        undisturbed = self.new_home("undisturbed")
        want = self.collect(self.site(*faults), home=undisturbed)
        self.assertStatus(want, 3)
        (self.home / "author.salt").write_bytes((undisturbed / "author.salt").read_bytes())  # the same hashes
        site, dice = self.site(*faults, delay=0.12), random.Random(11)
        for kill in range(20):
            stored, before = self.stored(), len(site.fetched())
            process = self.start(site)
            if kill % 2:  # somewhere among its downloads; else mostly while the browser starts
                self.wait_for_a_download(site, before, process)
                time.sleep(dice.uniform(0.0, 0.6))
            else:
                time.sleep(dice.uniform(0.05, 4.0))
            self.assertIsNone(process.poll(), "it ended before it was killed")
            process.kill()
            process.wait()
            self.assert_no_child_left()
            self.assertEqual(stored & set(site.fetched()[before:]), set(), "what was stored was fetched again")
        stored, before = self.stored(), len(site.fetched())
        self.assertGreater(len(stored), 5)
        ended = self.collect(site)
        self.assertEqual(stored & set(site.fetched()[before:]), set(), "what was stored was fetched again")
        self.assertEqual((ended.status, ended.json()), (want.status, want.json()))
        self.assertEqual(self.content(self.home), self.content(undisturbed))
        self.assert_whole()

    def start(self, site):
        command = [str(word) for word in (support.PROGRAM, "--home", self.home, *self.words(site))]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=support.environment(**self.env()))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def wait_for_a_download(self, site, before, process):
        end = time.monotonic() + 60
        while len(site.fetched()) == before and process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)

    def stored(self):
        try:
            return {source_id for source_id, _ in self.rows("source_id, id", "video")}
        except sqlite3.OperationalError:  # not made yet
            return set()

    def test_a_signal_ends_it_in_order_and_a_browser_that_dies_is_started_again(self):
        site = self.site(delay=0.1)
        process = self.start(site)
        self.wait_for_a_download(site, 0, process)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=60), 143)
        self.assert_no_child_left()
        before = len(site.fetched())
        process = self.start(site)
        self.wait_for_a_download(site, before, process)
        running = dict(processes_with(self.mark))
        self.assertFalse([command for command in running.values() if "--no-sandbox" in command])
        browsers = [number for number, command in running.items() if "--remote-debugging-pipe" in command]
        self.assertTrue(browsers)
        for number in browsers:
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.assertEqual(process.wait(timeout=120), 0)
        self.assertEqual(len(self.stored()), 64)
        self.assertEqual(sum(one["path"] == "/" for one in site.requests), 3)
        self.assert_whole()


class Items(TikTokCase):
    clips_per_class = 16

    def test_each_bad_item_ends_in_its_outcome_and_the_rest_arrives(self):
        names = ("deleted", "private", "expired", "html", "page", "cut", "no-author", "bare-author", "no-date", "no-id",
                 "no-address", "pictures")
        faults = [f"{name}:{post.number}" for name, post in zip(names, self.wanted)]
        rest = [post.number for post in self.wanted[len(names):]]
        ended = self.collect(self.site(*faults, f"busy:{rest[0]}", f"break:{rest[1]}"))
        self.assertStatus(ended, 3)
        outcomes = self.numbers(ended)["outcomes"]
        broken = outcomes.pop("decode_failed", 0) + outcomes.pop("not_a_video", 0)
        self.assertEqual((outcomes, broken), ({"added": 4, "deleted": 1, "private": 1, "link_expired": 1,
                                               "schema_changed": 5}, 4), ended)
        said = {key: error["message"] for key, error in ended.errors().items()}
        for name, post, want in zip(names, self.wanted, ("deleted", "private", "link_expired", "not_a_video",
                                                         "not_a_video", "", *["schema_changed"] * 3, "",
                                                         "schema_changed: it names no address", "not_a_video: it is a slide")):
            if name == "no-id":
                self.assertIn("no id", said[f"#{self.tag}"])
            else:
                self.assertTrue(said[str(post.id)].startswith(want), (name, said[str(post.id)]))
        self.assertEqual({row[0] for row in self.rows("source_id, id", "video")},
                         {str(post.id) for post in self.wanted[len(names):]})
        self.assert_whole()
        self.assert_what_may_pass_is_tried_again()

    def assert_what_may_pass_is_tried_again(self):
        site = self.site()
        ended = self.collect(site)
        outcomes = self.numbers(ended)["outcomes"]
        self.assertEqual((outcomes["added"], outcomes["duplicate"]), (6, 4), ended)  # expired, and what lacked something
        self.assertEqual(len(site.fetched()), 6)

    def test_links_that_have_ended(self):
        ended = self.collect(self.site("link-life:0"), limit=3)
        self.assertStatus(ended, 3)
        self.assertEqual(self.numbers(ended)["outcomes"], {"link_expired": 3})

    def test_a_download_goes_on_where_it_ended_under_a_new_link(self):
        first = self.wanted[0]
        ended = self.collect(self.site(f"break:{first.number}"), "--set", "collect.retries=0", limit=1)
        self.assertEqual(self.numbers(ended)["outcomes"], {"unavailable": 1}, ended)
        site = self.site(f"break:{first.number}", delay=0.0)
        self.assertEqual(self.numbers(must(self.collect(site, limit=1)))["outcomes"], {"added": 1})
        self.assertIn(RESUMED, [one["status"] for one in site.requests])


class Pages(TikTokCase):
    clips_per_class = 12

    def test_a_source_in_trouble_is_asked_again(self):
        # Queries 1 to 4 are for the first page, 5 is the page of a hole, 7 begins with what 6 ended with.
        site = self.site("empty-body:1", "not-json:2", "error:3", "empty:5", "overlap:7")
        ended = must(self.collect(site, "--set", "collect.tiktok.page_size=5"))
        self.assertEqual(self.numbers(ended)["outcomes"], {"added": 12, "duplicate": 3}, ended)
        self.assertEqual(sum(one["path"] == "/" for one in site.requests), 1, "the session was given up")
        self.assertEqual(len(site.fetched()), 12)

    def test_pages_without_an_end_are_left(self):
        for fault in ("repeat:1", "hollow:2"):
            with self.subTest(fault):
                site = self.site(fault)
                ended = self.collect(site, "--set", "collect.tiktok.page_size=5", home=self.new_home(fault.replace(":", "-")))
                self.assertStatus(ended, 3)
                found = self.numbers(ended)
                self.assertEqual((found["ended"], found["added"]), ("repeats", 5), ended)
                self.assertLess(len(site.queries()), 10)

    def test_a_challenge_stops_the_run_and_the_next_one_waits(self):
        for fault in ("challenge:2", "waf:1", f"challenge-media:{self.wanted[2].number}"):
            with self.subTest(fault):
                home, site = self.new_home(fault.replace(":", "-")), self.site(fault)
                ended = self.collect(site, "--set", "collect.tiktok.page_size=5", home=home)
                self.assertStatus(ended, 3)
                found = self.numbers(ended)
                self.assertEqual((found["ended"], found["outcomes"]["blocked"]), ("blocked", 1), ended)
                self.assertIn("challenge page", ended.err + found.get("message", ""))
                self.assertFalse([one for one in site.requests if "waf.js" in one["path"] and one["status"] != 200])
                asked = len(site.requests)
                again = self.collect(site, home=home)
                self.assertStatus(again, 1)
                self.assertIn("nothing is asked", again.err)
                self.assertEqual(len(site.requests), asked)

    def test_answers_that_stay_bad_end_the_hashtag(self):
        # Three tries: on a busy machine the browser may miss one, which is another answer than the one that is looked for.
        cases = (("schema", "schema_changed", "itemList"), ("empty-body", "unavailable", "takes for robots"),
                 ("not-json", "unavailable", "cannot be read"))
        for fault, want, said in cases:
            with self.subTest(fault):
                site = self.site(*(f"{fault}:{number}" for number in (1, 2, 3)))
                ended = self.collect(site, "--set", "collect.retries=2", home=self.new_home(fault))
                self.assertStatus(ended, 3)
                self.assertEqual(self.numbers(ended)["ended"], want, ended)
                self.assertIn(said, ended.err)

    def test_a_start_page_that_is_late_or_quiet(self):
        site = self.site("token-late:2500", "quiet:1")  # a page without a request of its own: another browser
        ended = must(self.collect(site))
        self.assertEqual(self.numbers(ended)["outcomes"], {"added": 12}, ended)
        self.assertEqual(sum(one["path"] == "/" for one in site.requests), 2)
        self.assertIn("no_request", ended.err)
        for fault, said in (("token-missing:1", "no_token"), ("late-request:1", "no_request")):
            with self.subTest(fault):
                ended = self.collect(self.site(fault), "--set", "collect.retries=0", "--set", "collect.tiktok.deadline=24",
                                     home=self.new_home(fault.replace(":", "-")))
                self.assertStatus(ended, 3)
                self.assertEqual(self.numbers(ended)["ended"], "unavailable", ended)
                self.assertIn(said, ended.err)

    def test_a_hashtag_that_the_site_does_not_know(self):
        site = self.site()
        words = [word if word != self.tag else "nosuchhashtag" for word in self.words(site)]
        found = must(run(*words, home=self.home, **self.env())).json()["hashtags"]["nosuchhashtag"]
        self.assertEqual((found["seen"], found["ended"]), (0, "exhausted"))


class Browser(TikTokCase):
    def test_a_hanging_answer_is_ended_and_asked_for_again(self):
        site = self.site("hang:2")
        ended = must(self.collect(site, "--set", "collect.tiktok.page_size=5", "--set", "collect.tiktok.deadline=15"))
        self.assertEqual(self.numbers(ended)["outcomes"], {"added": 8}, ended)
        self.assertIn("no answer in time", ended.err)
        self.assertEqual(sum(one["path"] == "/" for one in site.requests), 2)

    def test_its_memory_is_bounded_and_it_is_not_started_for_ever(self):
        site = self.site(delay=1.0)  # time for the guard to look
        ended = self.collect(site, "--set", f"collect.tiktok.memory={256 << 20}", "--set", "collect.tiktok.restarts=1")
        self.assertStatus(ended, 3)
        self.assertEqual(self.numbers(ended)["ended"], "unavailable", ended)
        self.assertIn("over its 256 MB of memory", ended.err)
        self.assertIn("collect.tiktok.restarts", ended.err)

    def test_the_token_of_the_environment_is_used_and_never_shown(self):
        site = self.site()
        site.tiktok.tokens.add("own-token-77")
        ended = must(self.collect(site, "-v", env={"REELTAG_TIKTOK_MS_TOKEN": "own-token-77"}))
        self.assertTrue(all("msToken=own-token-77" in one["path"] for one in site.queries()))
        self.assertNotIn("own-token-77", ended.err + ended.out)
        for path in self.home.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"own-token-77", path.read_bytes(), path)


class Allowed(TikTokCase):
    def test_without_a_policy_nothing_is_asked(self):
        (self.home / "policies" / "tiktok.yaml").unlink()
        site = self.site()
        ended = self.collect(site, "--set", "collect.tiktok.python=", env={"REELTAG_ENVIRONMENTS": str(self.folder / "unasked")})
        self.assertStatus(ended, 2)
        self.assertIn("policies/tiktok.yaml", ended.err)
        self.assertEqual((site.requests, site.tunnel.connected, site.tunnel.refused), ([], [], []))
        self.assertFalse((self.folder / "unasked").exists(), "something was installed")

    def test_a_dry_run_asks_nothing(self):
        site = self.site()
        shown = must(self.collect(site, "--dry-run")).json()
        self.assertTrue(shown["dry_run"] and shown["allowed"])
        self.assertEqual([one["url"].partition("?")[0] for one in shown["requests"]],
                         [f"https://www.tiktok.com/{path}" for path in ("", "api/challenge/detail/",
                                                                        "api/challenge/item_list/")])
        (self.home / "policies" / "tiktok.yaml").unlink()
        self.assertFalse(must(self.collect(site, "--dry-run")).json()["allowed"])
        self.assertEqual((site.requests, site.tunnel.connected), ([], []))

    def test_what_is_missing_is_named(self):
        site = self.site()
        ended = self.collect(site, "--set", "collect.tiktok.chromium=/no/such/file")
        self.assertStatus(ended, 2)
        self.assertIn("apt-get install chromium", ended.err)
        ended = self.collect(site, "--set", "collect.tiktok.python=", "--set", "collect.tiktok.chromium=/bin/sh",
                             env={"PATH": str(self.folder), "REELTAG_ENVIRONMENTS": str(self.folder / "none")})
        self.assertStatus(ended, 1)
        self.assertIn("apt-get install python3-venv", ended.err)
        self.assertEqual(site.requests, [])
        for path, met in ((str(self.folder), False), (os.environ["PATH"], True)):
            checks = {line["check"]: line for line in run("doctor", "--json", home=self.home, PATH=path).json_lines()}
            for name in ("Python", "Chromium"):
                check = checks[f"{name} for collect --source tiktok"]
                self.assertIs(check["ok"], met, check)
                self.assertTrue(check["optional"] and (met or "apt-get install" in check["detail"]), check)

    def test_the_proxy_must_be_allowed(self):
        site = self.site()
        words = self.words(site)
        at = words.index("http.allow=[127.0.0.1]")
        ended = run(*words[:at - 1], *words[at + 1:], home=self.home, **self.env())
        self.assertStatus(ended, 3)
        self.assertEqual(self.numbers(ended)["outcomes"], {"unavailable": 8}, ended)
        self.assertIn("not a public address", ended.err)
        self.assertEqual(site.fetched(), [])
        self.assertEqual(json.loads(ended.out)["source"], "tiktok")


if __name__ == "__main__":
    unittest.main()

"""`reeltag collect` against a replica of the Research API on loopback, and what it leaves in the home."""
import datetime
import hashlib
import json
import pathlib
import random
import signal
import sqlite3
import subprocess
import sys
import time
import unittest
import urllib.request

import support
from support import must, run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "replica"))
from clips import FIRST_ID  # noqa: E402
from server import Replica  # noqa: E402

POLICY = "terms: test\nallowed_by: the test\nrequests_per_minute: 100000\nretention_days: 1\n"
KEYS = {"REELTAG_RESEARCH_CLIENT_KEY": "key", "REELTAG_RESEARCH_CLIENT_SECRET": "secret"}
SPAN = ["--set", "collect.research.since=2024-01-01", "--set", "collect.research.until=2024-07-15"]  # of make_clips
EVERYTHING = "SELECT {} FROM {} ORDER BY 1, 2"


class CollectCase(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clips = cls.folder / "clips"
        support.make_clips(cls.clips, set="look", classes=2, clips_per_class=8, seconds=0.4, size="64x64")
        with Replica(cls.clips) as replica:
            cls.posts = replica.posts
        cls.tag = cls.posts[0].hashtags[0]
        cls.wanted = [post for post in cls.posts if post.has(cls.tag)]

    def setUp(self):
        self.home = self.folder / self._testMethodName
        (self.home / "policies").mkdir(parents=True)
        (self.home / "policies" / "research.yaml").write_text(POLICY, encoding="utf-8")

    def replica(self, *faults, **more):
        return self.enterContext(Replica(self.clips, faults, **more))

    def words(self, replica, *more, media=True, limit=100):
        words = ["collect", "--source", "research", "--hashtag", self.tag, "--limit", limit, "--json", *SPAN,
                 "--set", f"collect.research.api={replica.url}", "--set", "http.allow=[127.0.0.1]",
                 "--set", "collect.backoff=0.01"]
        return [*words, *(["--set", f"collect.research.media={replica.url}/media/{{id}}.mp4"] if media else []), *more]

    def collect(self, replica, *more, home=None, env=None, **options):
        return run(*self.words(replica, *more, **options), home=home or self.home, **(KEYS if env is None else env))

    def numbers(self, ended):
        found = ended.json()["hashtags"][self.tag]
        self.assertEqual(found["seen"], found["added"] + found["duplicate"] + found["failed"], ended)
        return found

    def rows(self, columns, table, home=None):
        base = sqlite3.connect((home or self.home) / "catalog.db")
        try:
            return base.execute(EVERYTHING.format(columns, table)).fetchall()
        finally:
            base.close()

    def content(self, home):
        """All that a collection leaves, times apart."""
        tags = "video_hashtag l JOIN hashtag h ON h.row_no = l.hashtag_row JOIN video v ON v.row_no = l.video_row"
        return (self.rows("id, store_key, source, source_id, split_group, caption, size_bytes, attributes", "video", home),
                self.rows("v.id, l.position, h.name", tags, home),
                self.rows("id, site, source, video, outcome, round_no, caption, hashtags, created, attributes", "post", home),
                sorted(path.name for path in (home / "store").rglob("*.mp4")))


class Collect(CollectCase):
    def test_videos_and_hashtags_come_in_once(self):
        replica = self.replica()
        first = must(self.collect(replica))
        self.assertEqual(first.json()["source"], "research")
        found = self.numbers(first)
        self.assertEqual((found["added"], found["outcomes"], found["ended"]), (8, {"added": 8}, "exhausted"), first)
        want = {(hashlib.sha256(post.path.read_bytes()).hexdigest(), str(post.id)) for post in self.wanted}
        self.assertEqual(set(self.rows("id, source_id", "video")), want)
        self.assertEqual(len(replica.fetched()), 8)
        second = self.numbers(must(self.collect(replica)))
        self.assertEqual((second["added"], second["failed"]), (0, 0))
        self.assertEqual(len(replica.fetched()), 8, "something was fetched twice")
        self.assertEqual([path.name for path in (self.home / "collect" / "research").iterdir()], [])

    def test_authors_are_hashes(self):
        must(self.collect(self.replica()))
        names = {post.author for post in self.wanted}
        text = "".join(str(row) for table in ("video", "post", "note") for row in self.rows("*", table))
        for name in names:
            self.assertNotIn(name, text)
        self.assertEqual({len(author) for author, _ in self.rows("author, id", "post")}, {64})
        self.assertEqual((self.home / "author.salt").stat().st_mode & 0o777, 0o600)

    def test_without_a_place_for_bytes_posts_are_described(self):
        replica = self.replica()
        found = self.numbers(must(self.collect(replica, media=False)))
        self.assertEqual((found["added"], found["outcomes"]), (8, {"metadata_only": 8}))
        self.assertEqual(self.rows("id, source", "video"), [])
        self.assertEqual({row[0] for row in self.rows("id, site", "post")}, {str(post.id) for post in self.wanted})
        self.assertFalse([one for one in replica.requests if "/media/" in one["path"]])
        again = self.numbers(must(self.collect(replica)))  # now their bytes can be had
        self.assertEqual(again["outcomes"], {"added": 8})

    def test_windows_have_at_most_thirty_days_and_follow_each_other(self):
        replica = self.replica()
        must(self.collect(replica, "--set", "collect.research.page_size=2"))
        spans, before = [], None
        for one in replica.queries():
            body = one["body"]
            span = tuple(datetime.datetime.strptime(body[name], "%Y%m%d") for name in ("start_date", "end_date"))
            if span != before:
                spans.append(span)
            else:
                self.assertIn("search_id", body)
            before = span
        self.assertEqual(spans[0][0].isoformat()[:10], "2024-01-01")
        self.assertEqual(spans[-1][1].isoformat()[:10], "2024-07-15")
        self.assertEqual(len(spans), 7)
        for (start, end), (following, _) in zip(spans, spans[1:]):
            self.assertLessEqual((end - start).days, 29)
            self.assertEqual((following - end).days, 1)

    def test_the_limit_holds_and_the_next_run_goes_on(self):
        replica = self.replica()
        self.assertEqual(self.numbers(must(self.collect(replica, limit=3)))["seen"], 3)
        self.assertEqual(len(replica.fetched()), 3)
        self.assertEqual(self.numbers(must(self.collect(replica, limit=3)))["added"], 3)
        self.assertEqual(self.numbers(must(self.collect(replica, limit=3)))["added"], 2)

    def test_two_hashtags_of_the_configuration(self):
        replica = self.replica()
        other = next(post.hashtags[0] for post in self.posts if not post.has(self.tag))
        (self.home / "config.yaml").write_text(f"collect: {{source: research, hashtags: ['#{self.tag}', {other}]}}\n",
                                               encoding="utf-8")
        words = [word for word in self.words(replica) if word not in ("--source", "research", "--hashtag", self.tag)]
        found = must(run(*words, home=self.home, **KEYS)).json()["hashtags"]
        self.assertEqual({tag: one["added"] for tag, one in found.items()}, {self.tag: 8, other: 8})

    def test_a_video_that_was_imported_is_not_fetched(self):
        pair = self.folder / "pair"
        pair.mkdir()
        post = self.wanted[0]
        (pair / "a.mp4").write_bytes(post.path.read_bytes())
        (pair / "a.info.json").write_text(json.dumps(
            {"id": str(post.id), "extractor": "TikTok", "uploader": post.author, "description": "typed #Else #Where",
             "timestamp": 1704067200}), encoding="utf-8")
        self.assertEqual(must(run("import", pair, "--json", home=self.home)).json(),
                         {"added": 1, "duplicate": 0, "rejected": []})
        replica = self.replica()
        found = self.numbers(must(self.collect(replica)))
        self.assertEqual(found["outcomes"], {"added": 7, "duplicate": 1})
        self.assertNotIn(f"/media/{post.id}.mp4", replica.fetched())
        authors = dict(self.rows("source_id, author", "video"))
        same = [other for other in self.wanted if other.author == post.author]
        self.assertEqual(len({authors[str(other.id)] for other in same}), 1)


class Faults(CollectCase):
    def test_each_bad_item_ends_in_its_outcome_and_none_is_stored(self):
        numbers = [post.number for post in self.wanted]
        faults = [f"{name}:{number}" for name, number in zip(
            ("deleted", "private", "expired", "html", "page", "cut", "no-author"), numbers)]
        ended = self.collect(self.replica(*faults))
        self.assertStatus(ended, 3)
        outcomes = self.numbers(ended)["outcomes"]
        self.assertEqual(outcomes.pop("not_a_video", 0) + outcomes.pop("decode_failed", 0), 3, ended)
        self.assertEqual(outcomes, {"added": 1, "deleted": 1, "private": 1, "link_expired": 1, "schema_changed": 1}, ended)
        self.assertEqual(set(ended.errors()), {str(post.id) for post in self.wanted[:7]}, ended)
        self.assertEqual(len(self.rows("id, source", "video")), 1)
        self.assertEqual(len(list((self.home / "store").rglob("*.mp4"))), 1)

    def test_items_without_id_or_date_are_counted(self):
        first, second = self.wanted[:2]
        ended = self.collect(self.replica(f"no-id:{first.number}", f"no-date:{second.number}"))
        self.assertStatus(ended, 3)
        self.assertEqual(self.numbers(ended)["outcomes"], {"added": 6, "schema_changed": 2})

    def test_what_was_expired_is_tried_again_and_what_is_gone_is_not(self):
        gone, late = self.wanted[:2]
        self.assertStatus(self.collect(self.replica(f"deleted:{gone.number}", f"expired:{late.number}")), 3)
        replica = self.replica()
        ended = self.collect(replica, "--set", "collect.research.regions=[US]")  # another scope: from the beginning
        self.assertStatus(ended, 3)
        self.assertEqual(self.numbers(ended)["outcomes"], {"added": 1, "duplicate": 6, "deleted": 1})
        self.assertEqual(replica.fetched(), [f"/media/{late.id}.mp4"])

    def test_a_source_in_trouble_is_asked_again(self):
        replica = self.replica("rate:1", "error:2", "not-json:3", "token-stale:4", "empty:6",
                               f"busy:{self.wanted[0].number}", f"break:{self.wanted[1].number}")
        ended = must(self.collect(replica))
        self.assertEqual(self.numbers(ended)["outcomes"], {"added": 8}, ended)
        self.assertEqual([one["status"] for one in replica.queries()[:5]], [429, 500, 200, 401, 200])
        self.assertIn(206, [one["status"] for one in replica.requests], "the broken download did not go on")

    def test_tokens_are_renewed(self):
        replica = self.replica("token-short:1")
        must(self.collect(replica))
        tokens = [one for one in replica.requests if "/oauth/" in one["path"]]
        self.assertEqual(len(tokens), len(replica.queries()))

    def test_a_lost_search_is_begun_again(self):
        replica = self.replica("search-lost:1")
        ended = must(self.collect(replica, "--set", "collect.research.page_size=1"))
        self.assertEqual(self.numbers(ended)["outcomes"]["added"], 8, ended)
        self.assertEqual(len(replica.fetched()), 8)
        self.assertIn(400, [one["status"] for one in replica.queries()])

    def test_pages_that_repeat_are_left(self):
        replica = self.replica("repeat:1")
        ended = self.collect(replica)
        self.assertStatus(ended, 3)
        self.assertEqual(self.numbers(ended)["ended"], "repeats", ended)
        self.assertLess(len(replica.queries()), 10)

    def test_the_quota_ends_the_run_and_is_remembered(self):
        replica = self.replica("quota:2")
        ended = self.collect(replica)
        self.assertStatus(ended, 3)
        self.assertEqual(self.numbers(ended)["ended"], "quota", ended)
        self.assertIn("daily_quota_limit_exceeded", ended.err)
        self.assertEqual(self.numbers(self.collect(replica))["ended"], "quota")
        self.assertEqual(len(replica.queries()), 2)
        home = self.folder / "own-quota"
        (home / "policies").mkdir(parents=True)
        (home / "policies" / "research.yaml").write_text(POLICY, encoding="utf-8")
        replica = self.replica()
        self.assertEqual(self.numbers(self.collect(replica, "--set", "collect.research.daily_requests=3", home=home))["ended"],
                         "quota")
        self.assertEqual(len(replica.queries()), 3)

    def test_a_challenge_stops_the_run_and_the_next_one_waits(self):
        for fault in ("challenge:2", f"challenge-media:{self.wanted[0].number}"):
            with self.subTest(fault):
                home = self.folder / fault.replace(":", "-")
                (home / "policies").mkdir(parents=True)
                (home / "policies" / "research.yaml").write_text(POLICY, encoding="utf-8")
                replica = self.replica(fault)
                ended = self.collect(replica, home=home)
                self.assertStatus(ended, 3)
                found = self.numbers(ended)
                self.assertEqual((found["ended"], found["outcomes"]["blocked"]), ("blocked", 1), ended)
                self.assertIn("challenge page", ended.err + found["message"])
                asked = len(replica.requests)
                again = self.collect(replica, home=home)
                self.assertStatus(again, 1)
                self.assertIn("nothing is asked", again.err)
                self.assertEqual(len(replica.requests), asked)

    def test_another_form_of_answer_ends_the_hashtag(self):
        ended = self.collect(self.replica("schema:1"))
        self.assertStatus(ended, 3)
        self.assertEqual(self.numbers(ended)["outcomes"], {"schema_changed": 1})

    def test_large_videos_are_not_fetched(self):
        replica = self.replica()
        ended = self.collect(replica, "--set", "collect.max_bytes=500")
        self.assertStatus(ended, 3)
        self.assertEqual(self.numbers(ended)["outcomes"], {"too_large": 8})
        self.assertIn("collect.max_bytes", ended.err)


class Allowed(CollectCase):
    def test_without_a_policy_nothing_is_asked(self):
        (self.home / "policies" / "research.yaml").unlink()
        replica = self.replica()
        ended = self.collect(replica)
        self.assertStatus(ended, 2)
        self.assertIn("policies/research.yaml", ended.err)
        (self.home / "policies" / "research.yaml").write_text("terms: x\n", encoding="utf-8")
        self.assertStatus(self.collect(replica), 2)
        self.assertEqual(replica.requests, [])

    def test_credentials_come_from_the_environment_and_are_never_shown(self):
        replica = self.replica()
        none = self.collect(replica, env={"REELTAG_RESEARCH_CLIENT_KEY": "", "REELTAG_RESEARCH_CLIENT_SECRET": ""})
        self.assertStatus(none, 2)
        self.assertEqual(replica.requests, [])
        wrong = self.collect(replica, "-v", env={**KEYS, "REELTAG_RESEARCH_CLIENT_SECRET": "se&cr=et-wrong"})
        self.assertStatus(wrong, 1)
        self.assertIn("invalid_client", wrong.err)
        self.assertNotIn("et-wrong", wrong.err + wrong.out)  # whichever way the rest of it is encoded
        self.assertEqual([one["path"] for one in replica.requests], ["/v2/oauth/token/"])

    def test_a_dry_run_asks_nothing(self):
        replica = self.replica()
        shown = must(self.collect(replica, "--dry-run")).json()
        self.assertTrue(shown["dry_run"] and shown["allowed"])
        self.assertEqual(shown["policy"]["terms"], "test")
        self.assertEqual(len(shown["requests"]), 7)
        self.assertEqual(shown["requests"][0]["body"]["query"]["and"][0]["field_values"], [self.tag])
        (self.home / "policies" / "research.yaml").unlink()
        shown = must(self.collect(replica, "--dry-run", env={})).json()
        self.assertFalse(shown["allowed"])
        self.assertIsNone(shown["policy"])
        words = [word for word in self.words(replica, "--dry-run") if word != "--json"]
        self.assertIn("nothing would be asked", must(run(*words, home=self.home)).out)
        self.assertEqual(replica.requests, [])

    def test_loopback_must_be_allowed(self):
        replica = self.replica()
        words = [word for word in self.words(replica)]
        at = words.index("http.allow=[127.0.0.1]")
        ended = run(*words[:at - 1], *words[at + 1:], home=self.home, **KEYS)
        self.assertStatus(ended, 1)
        self.assertIn("not a public address", ended.err)
        self.assertEqual(replica.requests, [])

    def test_wrong_usage(self):
        replica = self.replica()
        self.assertStatus(run("collect", "--json", home=self.home, **KEYS), 2)
        self.assertStatus(run("collect", "--source", "elsewhere", "--hashtag", "x", home=self.home), 2)
        self.assertStatus(self.collect(replica, "--set", "collect.research.since=yesterday"), 2)
        self.assertEqual(replica.requests, [])


class Killed(CollectCase):
    def start(self, replica):
        command = [str(word) for word in (support.PROGRAM, "--home", self.home, *self.words(replica))]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, env=support.environment(**KEYS))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def test_killed_again_and_again_it_ends_as_an_undisturbed_run(self):
        undisturbed = self.folder / "undisturbed"
        (undisturbed / "policies").mkdir(parents=True)
        (undisturbed / "policies" / "research.yaml").write_text(POLICY, encoding="utf-8")
        faults = [f"deleted:{self.wanted[1].number}", f"expired:{self.wanted[2].number}", f"no-author:{self.wanted[3].number}"]
        want = self.collect(self.replica(*faults), home=undisturbed)
        self.assertStatus(want, 3)
        (self.home / "author.salt").write_bytes((undisturbed / "author.salt").read_bytes())  # the same hashes
        replica = self.replica(*faults, delay=0.02)
        dice = random.Random(5)
        kills = 0
        for _ in range(60):
            stored = self.stored()
            before = len(replica.fetched())
            process = self.start(replica)
            try:
                out, _ = process.communicate(timeout=dice.uniform(0.05, 0.3) if kills < 12 else 120)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills += 1
                self.assertEqual(stored & set(replica.fetched()[before:]), set(), "what was stored was fetched again")
                if not self.ended():
                    continue
                out = None  # all was done, and the kill came before the report
            break
        self.assertGreater(kills, 2)
        self.assertEqual(self.content(self.home), self.content(undisturbed))
        if out is not None:
            self.assertEqual(process.returncode, 3)
            self.assertEqual(json.loads(out), want.json())

    def ended(self):
        try:
            notes = dict(self.rows("name, body", "note"))
        except sqlite3.OperationalError:
            return False
        return '"open":false' in notes.get("collect/research/round", "")

    def stored(self):
        if not (self.home / "catalog.db").exists():
            return set()
        try:
            return {f"/media/{source_id}.mp4" for source_id, _ in self.rows("source_id, id", "video")}
        except sqlite3.OperationalError:
            return set()

    def test_a_signal_ends_it_in_order(self):
        replica = self.replica(delay=0.1)
        process = self.start(replica)
        end = time.monotonic() + 60
        while not replica.fetched() and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 143, err)
        self.assertEqual(self.numbers(must(self.collect(replica)))["added"], 8)


class Program(CollectCase):
    def test_the_replica_is_a_program_too(self):
        server = pathlib.Path(__file__).resolve().parents[1] / "replica" / "server.py"
        process = subprocess.Popen([sys.executable, str(server), "--clips", str(self.clips), "--fault", "rate:1"],
                                   stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(f"{url}/media/{FIRST_ID}.mp4", timeout=10) as answer:
            self.assertEqual(answer.read(), self.posts[0].path.read_bytes())
        with urllib.request.urlopen(f"{url}/_requests", timeout=10) as answer:
            self.assertEqual([one["status"] for one in json.load(answer)], [200])


if __name__ == "__main__":
    unittest.main()

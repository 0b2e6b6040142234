"""`reeltag serve`: jobs, owners, tokens, feedback, search, models, limits, a kill and a drain, through its API."""
import http.server
import json
import pathlib
import random
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import postgres
from s3_server import KEYS, S3Server
from serving import Server
from support import ROOT, environment, make_clips, run

HERE = pathlib.Path(__file__).resolve().parent
SCHEMATHESIS = ROOT / ".deps" / "venv" / "bin" / "schemathesis"


class Files:
    """A site with files on loopback."""

    def __init__(self, folder):
        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *arguments):
                super().__init__(*arguments, directory=str(folder))

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, name):
        return f"http://127.0.0.1:{self.server.server_port}/{name}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class ServeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.place = pathlib.Path(cls.folder.name)
        make_clips(cls.place / "clips", set="look", classes=4, clips_per_class=6)
        cls.clips = sorted((cls.place / "clips").rglob("*.mp4"))
        (cls.place / "text.mp4").write_text("this is no video\n" * 100, encoding="utf-8")

    def home(self):
        folder = tempfile.TemporaryDirectory(dir=self.place)
        self.addCleanup(folder.cleanup)
        return pathlib.Path(folder.name)

    def serve(self, *settings, home=None, **more):
        server = Server(home or self.home(), *settings, **more)
        self.addCleanup(server.__exit__)
        return server

    def test_a_video_becomes_hashtags(self):
        server = self.serve()
        client = server.client()
        job = client.upload(self.clips[0], name="première é.mp4")
        done = client.ended(job)
        self.assertEqual((done["state"], done["progress"], done["name"]), ("done", 1.0, "première é.mp4"))
        video = client.get(f"/v1/videos/{done['video']}").json()
        self.assertTrue(video["mine"])
        self.assertEqual(video["source"], "upload")
        tags = client.get(f"/v1/videos/{done['video']}/tags?threshold=0&top=200").json()
        self.assertFalse(tags["partial"])
        self.assertEqual(tags["model"], "starter")
        scores = [tag["score"] for tag in tags["tags"]]
        self.assertEqual(scores, sorted(scores, reverse=True))
        said = run("tag", self.clips[0], "--threshold", "0", "--top", "200", "--json").json()
        self.assertEqual([tag["hashtag"] for tag in said["tags"]], [tag["hashtag"] for tag in tags["tags"]])
        for mine, theirs in zip(tags["tags"], said["tags"]):
            self.assertAlmostEqual(mine["score"], theirs["score"], delta=1e-3)
            self.assertEqual(mine["segments"], theirs["segments"])
        file = client.get(f"/v1/videos/{done['video']}/file", headers={"Range": "bytes=0-9"})
        self.assertEqual((file.status, file.body), (206, self.clips[0].read_bytes()[:10]))
        self.assertEqual(file.headers["Content-Type"], "video/mp4")
        picture = client.get(f"/v1/videos/{done['video']}/thumbnail")
        self.assertEqual((picture.status, picture.body[:3]), (200, b"\xff\xd8\xff"))

    def test_events_tell_how_far_a_job_is(self):
        client = self.serve().client()
        job = client.upload(self.clips[1])
        told = client.get(f"/v1/jobs/{job}/events").body.decode()
        jobs = [json.loads(line[6:]) for line in told.splitlines() if line.startswith("data: ")]
        self.assertIn("event: job", told)
        self.assertEqual(jobs[-1]["state"], "done")
        self.assertEqual([one["progress"] for one in jobs], sorted(one["progress"] for one in jobs))

    def test_what_is_no_video_fails_by_name_and_the_rest_goes_on(self):
        client = self.serve().client()
        bad, good = client.upload(self.place / "text.mp4"), client.upload(self.clips[0])
        failed = client.ended(bad)
        self.assertEqual((failed["state"], failed["error"]["code"]), ("failed", "not_a_video"))
        self.assertIn("text.mp4", failed["error"]["detail"])
        self.assertNotIn(str(self.place), failed["error"]["detail"])
        self.assertEqual(client.ended(good)["state"], "done")

    def test_a_reference_is_fetched(self):
        site = Files(self.place / "clips")
        self.addCleanup(site.close)
        name = str(self.clips[2].relative_to(self.place / "clips"))
        allowed = self.serve("http.allow=[127.0.0.1]").client()
        answer = allowed.post("/v1/videos", {"url": site.url(name)})
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual(answer.headers["Location"], f"/v1/jobs/{answer.json()['job']}")
        self.assertEqual(allowed.ended(answer.json()["job"])["state"], "done")
        self.assertEqual(allowed.ended(allowed.post("/v1/videos", {"url": site.url("none.mp4")}).json()["job"])["error"]
                         ["code"], "not_found")
        key = {"Idempotency-Key": "one"}
        first = allowed.post("/v1/videos", {"url": site.url(name)}, headers=key).json()["job"]
        self.assertEqual(allowed.post("/v1/videos", {"url": site.url(name)}, headers=key).json()["job"], first)
        changed = allowed.post("/v1/videos", {"url": site.url("other.mp4")}, headers=key)
        self.assertEqual((changed.status, changed.json()["code"]), (422, "invalid_argument"))
        # This machine is out of bounds by default.
        refused = self.serve().client()
        self.assertEqual(refused.ended(refused.post("/v1/videos", {"url": site.url(name)}).json()["job"])["error"]["code"],
                         "permission_denied")

    def test_a_repeated_request_has_one_job(self):
        home = self.home()
        server = self.serve(home=home)
        client, bytes_, key = server.client(), self.clips[0].read_bytes(), {"Idempotency-Key": "k", "Content-Type": "video/mp4"}
        first = client.post("/v1/videos", bytes_, headers=key).json()["job"]
        self.assertEqual(client.post("/v1/videos", bytes_, headers=key).json()["job"], first)
        self.assertEqual(client.ended(first)["state"], "done")
        server.kill()
        client = self.serve(home=home).client()
        self.assertEqual(client.post("/v1/videos", bytes_, headers=key).json()["job"], first)
        self.assertEqual(client.post("/v1/videos", self.clips[1].read_bytes(), headers=key).status, 422)
        boundary = {"Idempotency-Key": "k", "Content-Type": "multipart/form-data; boundary=x"}
        form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n' + bytes_ + b"\r\n--x--\r\n"
        self.assertEqual(client.post("/v1/videos", form, headers=boundary).json()["job"], first)
        self.assertEqual(len(client.get("/v1/jobs").json()["jobs"]), 1)
        tus = {"Tus-Resumable": "1.0.0", "Idempotency-Key": "u", "Upload-Length": "5"}
        upload = client.post("/v1/uploads", b"", headers=tus).headers["Location"]
        self.assertEqual(client.post("/v1/uploads", b"", headers=tus).headers["Location"], upload)
        self.assertEqual(client.post("/v1/uploads", b"", headers={**tus, "Upload-Length": "6"}).status, 422)

    def test_visitors_see_their_own_and_the_library(self):
        home = self.home()
        run("import", self.clips[5], home=home)
        server = self.serve(home=home)
        ann, bob = server.client(browser=True), server.client(browser=True)
        self.assertIn("reeltag_visitor", ann.cookies)
        self.assertNotEqual(ann.cookies, bob.cookies)
        job = ann.upload(self.clips[0])
        video = ann.ended(job)["video"]
        for path in (f"/v1/jobs/{job}", f"/v1/jobs/{job}/events", f"/v1/videos/{video}", f"/v1/videos/{video}/file",
                     f"/v1/videos/{video}/tags", f"/v1/videos/{video}/thumbnail", f"/v1/videos/{video}/feedback"):
            self.assertEqual(ann.get(path).status, 200, path)
            self.assertEqual(bob.get(path).status, 404, path)
        self.assertEqual(bob.delete(f"/v1/videos/{video}").status, 404)
        self.assertEqual(bob.delete(f"/v1/jobs/{job}").status, 404)
        self.assertEqual(len(ann.get("/v1/videos").json()["videos"]), 2)
        library = bob.get("/v1/videos").json()["videos"]
        self.assertEqual([one["source"] for one in library], ["import"])
        self.assertEqual(bob.get("/v1/videos?of=mine").json()["videos"], [])
        self.assertEqual(bob.get("/v1/jobs").json()["jobs"], [])
        self.assertEqual(bob.delete(f"/v1/videos/{library[0]['video']}").status, 403)
        self.assertEqual(ann.get(f"/v1/videos/{library[0]['video']}/tags").status, 409)
        token = run("tokens", "new", "boss", "--scope", "operator", home=home).out.strip()
        boss = server.client(token=token)
        self.assertEqual(boss.get(f"/v1/videos/{video}").status, 200)
        self.assertEqual(len(boss.get("/v1/videos").json()["videos"]), 2)
        self.assertEqual(boss.delete(f"/v1/videos/{library[0]['video']}").status, 204)

    def test_tokens_open_a_server_that_listens_elsewhere(self):
        home = self.home()
        server = self.serve(home=home, host="0.0.0.0")
        self.assertTrue(server.events("no_token"))
        for path in ("/healthz", "/readyz", "/startupz", "/ping", "/metrics", "/openapi.json", "/"):
            self.assertEqual(server.client().get(path).status, 200, path)
        stranger = server.client(token=None)
        self.assertEqual(stranger.get("/v1/videos").status, 401)
        self.assertEqual(stranger.get("/v1/session").json()["kind"], "none")
        self.assertFalse(stranger.cookies)
        read = run("tokens", "new", "reader", "--scope", "read", "--json", home=home).json()["token"]
        write = run("tokens", "new", "writer", home=home).out.strip()
        reader, writer = server.client(token=read), server.client(token=write)
        self.assertEqual(reader.get("/v1/videos").status, 200)
        self.assertEqual(reader.post("/v1/videos", b"x", headers={"Content-Type": "video/mp4"}).status, 403)
        self.assertEqual(writer.ended(writer.upload(self.clips[0]))["state"], "done")
        self.assertEqual(server.client(token="reeltag_guess").get("/v1/videos").status, 401)
        video = {"body": self.clips[0].read_bytes(), "headers": {"Content-Type": "video/mp4"}}
        self.assertEqual(stranger.post("/invocations", **video).status, 401)
        self.assertIn("tags", writer.post("/invocations", **video).json())
        page = server.client(token=None)
        self.assertEqual(page.post("/v1/session", {"token": "wrong"}).status, 401)
        self.assertEqual(page.post("/v1/session", {"token": write}).json()["kind"], "token")
        self.assertEqual(len(page.get("/v1/videos?of=mine").json()["videos"]), 1)
        self.assertEqual(page.delete("/v1/session").status, 204)
        self.assertEqual(page.get("/v1/videos").status, 401)
        names = [token["name"] for token in run("tokens", "list", "--json", home=home).json_lines()]
        self.assertEqual(names, ["reader", "writer"])
        self.assertEqual(run("tokens", "revoke", "writer", home=home).status, 0)
        self.assertEqual(writer.get("/v1/videos").status, 401)
        self.assertEqual(run("tokens", "revoke", "writer", home=home).status, 1)
        for file in [path for path in home.rglob("*") if path.is_file()]:
            self.assertNotIn(read[8:].encode(), file.read_bytes(), file)

    def test_pages_of_other_sites_get_nowhere(self):
        client = self.serve().client(browser=True)
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            self.assertEqual(client.post("/v1/videos", {"url": "https://a.example/b.mp4"}, headers=headers).status, 403)
        self.assertEqual(client.get("/v1/videos", headers={"Host": "rebound.example"}).status, 421)
        answer = client.get("/")
        self.assertIn("script-src 'self'", answer.headers["Content-Security-Policy"])
        self.assertIn("frame-ancestors 'none'", answer.headers["Content-Security-Policy"])
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")

    def test_feedback_is_kept_and_taken_back(self):
        server = self.serve()
        client, other = server.client(browser=True), server.client()
        video = client.tag(self.clips[0])
        path = f"/v1/videos/{video}/feedback"
        self.assertEqual(client.post(path, {"hashtag": "#Sonnenaufgang", "verdict": "add"}).status, 201)
        self.assertEqual(client.post(path, {"hashtag": "dog", "verdict": "accept"}).status, 201)
        self.assertEqual(client.post(path, {"hashtag": "Dog", "verdict": "reject"}).status, 201)
        said = {one["hashtag"]: one["verdict"] for one in client.get(path).json()["feedback"]}
        self.assertEqual(said, {"Sonnenaufgang": "add", "Dog": "reject"})
        self.assertEqual(other.post(path, {"hashtag": "x", "verdict": "add"}).status, 404)
        found = client.get("/v1/videos?hashtag=sonnenaufgang").json()["videos"]
        self.assertEqual([one["video"] for one in found], [video])
        self.assertEqual(client.get("/v1/videos?hashtag=dog").json()["videos"], [])
        self.assertEqual(client.delete(path + "?hashtag=DOG").status, 204)
        self.assertEqual(client.delete(path + "?hashtag=dog").status, 404)
        self.assertEqual(client.post(path, {"hashtag": "x", "verdict": "maybe"}).status, 422)

    def test_search_says_why_and_shows_nobody_elses(self):
        server = self.serve()
        ann, bob = server.client(browser=True), server.client(browser=True)
        video = ann.tag(self.clips[0])
        tags = ann.get(f"/v1/videos/{video}/tags?threshold=0").json()["tags"]
        sure = [tag for tag in tags if tag["score"] >= tag["threshold"]]
        if not sure:  # generated clips are not what the starter was made for
            self.assertEqual(ann.get(f"/v1/search?q={tags[0]['hashtag']}").json()["results"], [])
            return
        results = ann.get(f"/v1/search?q={sure[0]['hashtag']}").json()["results"]
        self.assertEqual([one["video"] for one in results], [video])
        self.assertEqual(results[0]["why"], ["predicted"])
        self.assertEqual(bob.get(f"/v1/search?q={sure[0]['hashtag']}").json()["results"], [])

    def test_captions_of_the_library_are_searched(self):
        home = self.home()
        manifest = self.place / "m.jsonl"
        manifest.write_text(json.dumps({"file": str(self.clips[6].relative_to(self.place)), "caption": "a walk at the seaside", "hashtags": ["sea"]})
                            + "\n", encoding="utf-8")
        self.assertEqual(run("import", manifest, home=home).status, 0)
        self.assertEqual(run("index", "build", home=home).status, 0)
        client = self.serve(home=home).client()
        result = client.get("/v1/search?q=seaside").json()["results"][0]
        self.assertEqual((result["why"], result["caption"]), (["caption"], "a walk at the seaside"))

    def test_an_export_says_what_it_leaves_out(self):
        home = self.home()
        client = self.serve(home=home).client()
        video = client.tag(self.clips[0])
        self.assertEqual(client.post(f"/v1/videos/{video}/feedback", {"hashtag": "seaside", "verdict": "add"}).status, 201)
        out = run("catalog", "export", home / "a.jsonl", home=home)
        self.assertIn("left out who uploaded what (1) and what was said of hashtags (1)", out.out)

    def test_a_video_taken_away_leaves_nothing(self):
        home = self.home()
        server = self.serve(home=home)
        client = server.client()
        video = client.tag(self.clips[0])
        self.assertEqual(client.delete(f"/v1/videos/{video}").status, 204)
        self.assertEqual(client.get(f"/v1/videos/{video}").status, 404)
        until = time.monotonic() + 10
        while list((home / "store").rglob(f"{video}*")) and time.monotonic() < until:
            time.sleep(0.1)
        self.assertEqual(list((home / "store").rglob(f"{video}*")), [])
        self.assertEqual(list((home / "cache").rglob(f"{video}*")), [])
        self.assertEqual(client.tag(self.clips[0]), video)  # and it may come back

    def test_forgotten_videos_do_not_come_back(self):
        home = self.home()
        server = self.serve(home=home)
        client = server.client()
        video = client.tag(self.clips[0])
        self.assertEqual(run("forget", "--video", video, home=home).status, 0, "forget")
        self.assertEqual(client.get(f"/v1/videos/{video}").status, 404)
        failed = client.ended(client.upload(self.clips[0]))
        self.assertEqual((failed["state"], failed["error"]["code"]), ("failed", "permission_denied"))
        self.assertEqual(list((home / "store").rglob(f"{video}*")), [])

    def test_a_deadline_takes_views_away_and_the_answer_says_so(self):
        make_clips(self.place / "long", set="look", classes=1, clips_per_class=1, seconds=40)
        long = next((self.place / "long").rglob("*.mp4"))
        client = self.serve().client()
        client.tag(self.clips[0])  # what a view costs is known from now on
        partial = client.tag(long, query="?deadline=0.1")
        tags = client.get(f"/v1/videos/{partial}/tags?threshold=0").json()
        self.assertTrue(tags["partial"])
        slow = client.tag(long)  # a partial answer is not taken for the last word
        more = client.get(f"/v1/videos/{slow}/tags?threshold=0").json()
        self.assertFalse(more["partial"])
        self.assertGreater(more["views"], tags["views"])

    def test_models_are_swapped_under_load_without_a_failed_request(self):
        home = self.home()
        shipped = ROOT / "models" / "starter"
        self.assertEqual(run("models", "publish", shipped, home=home).status, 0)
        self.assertEqual(run("models", "promote", "hashtags/1", home=home).status, 0)
        # The three ask as fast as they can, from one address.
        server = self.serve("serve.http.requests_per_second=0", "serve.max_jobs=100000", home=home)
        client = server.client()
        self.assertEqual(client.get("/v1/session").json()["model"], "hashtags@1")
        other = self.place / "other"
        subprocess.run(["cp", "-r", str(shipped), str(other)], check=True)
        bundle = json.loads((other / "bundle.json").read_text(encoding="utf-8"))
        bundle["name"] = "second"
        (other / "bundle.json").write_text(json.dumps(bundle), encoding="utf-8")
        self.assertEqual(run("models", "publish", other, home=home).status, 0)
        stop, failures, served = threading.Event(), [], set()

        def load(number):
            asker = server.client()
            while not stop.is_set():
                try:
                    job = asker.ended(asker.upload(random.Random(number).choice(self.clips)))
                    self.assertEqual(job["state"], "done")
                    served.add(asker.get("/v1/models/current").json()["version"])
                except Exception as failure:  # pylint: disable=broad-except
                    failures.append(failure)
        threads = [threading.Thread(target=load, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for command in (["promote", "hashtags/2"], ["rollback"], ["promote", "hashtags/2"]):
            self.assertEqual(run("models", *command, home=home).status, 0, command)
            want = "hashtags@1" if command[0] == "rollback" else "hashtags@2"
            until = time.monotonic() + 30
            while client.get("/v1/session").json()["model"] != want and time.monotonic() < until:
                time.sleep(0.1)
            self.assertEqual(client.get("/v1/session").json()["model"], want)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertEqual(served, {"hashtags@1", "hashtags@2"})
        listed = {model["version"]: model for model in client.get("/v1/models").json()["models"]}
        self.assertTrue(listed["hashtags@2"]["serving"])
        self.assertEqual(listed["hashtags@2"]["aliases"], ["champion"])
        whole = client.get("/v1/models/hashtags@2").json()
        self.assertIn("promote", [change["act"] for change in whole["history"]])
        self.assertTrue(whole["card"])

    def test_a_kill_loses_no_accepted_job(self):
        home = self.home()
        accepted = []
        for turn in range(4):
            server = self.serve("serve.workers=2", home=home)
            client = server.client()
            for number in range(5):
                accepted.append(client.upload(self.clips[(5 * turn + number) % len(self.clips)]))
            time.sleep(random.Random(turn).uniform(0, 0.6))
            server.kill()
        client = self.serve(home=home).client()
        self.assertEqual({client.ended(job)["state"] for job in accepted}, {"done"})
        self.assertEqual(len(client.get("/v1/jobs?limit=200").json()["jobs"]), len(accepted))

    def test_jobs_wait_for_a_store_that_is_away(self):
        with S3Server() as s3:
            s3.bucket("videos")
            server = self.serve(f"store.url={s3.url('videos')}", "store.retry_seconds=1", **KEYS)
            client = server.client()
            client.tag(self.clips[0])
            s3.stop()
            jobs = [client.upload(clip) for clip in self.clips[1:4]]
            until = time.monotonic() + 60
            while len(server.events("job_waits")) < 6 and time.monotonic() < until:
                time.sleep(0.2)
            for job in jobs:
                told = client.get(f"/v1/jobs/{job}").json()
                self.assertIn(told["state"], ("queued", "running"), told)
            self.assertTrue(s3.start())
            self.assertEqual([client.ended(job, 120)["state"] for job in jobs], ["done"] * 3)
            self.assertEqual(list((server.home / "uploads").rglob("*.part")), [])

    def test_jobs_wait_for_a_catalog_that_is_away(self):
        database = postgres.Server(ROOT)
        self.addCleanup(database.remove)
        database.start()
        database.psql("postgres", "CREATE DATABASE served")
        server = self.serve(f"catalog.url={database.url('served')}", "serve.workers=1", **database.environment())
        client = server.client()
        jobs = [client.upload(clip) for clip in self.clips[:6]]
        database.stop()
        time.sleep(2)
        self.assertEqual(client.get("/v1/jobs").status, 503)
        database.start()
        self.assertEqual([client.ended(job, 120)["state"] for job in jobs], ["done"] * 6)

    def test_a_drain_gives_jobs_back(self):
        home = self.home()
        server = self.serve("serve.workers=1", home=home)
        client = server.client()
        jobs = [client.upload(clip) for clip in self.clips[:8]]
        self.assertEqual(server.stop(), 0)
        client = self.serve(home=home).client()
        self.assertEqual({client.ended(job)["state"] for job in jobs}, {"done"})

    def test_one_server_works_in_a_home(self):
        home = self.home()
        self.serve(home=home)
        second = run("serve", "--port", "0", home=home)
        self.assertEqual(second.status, 1)
        self.assertIn("another server works in", second.err)

    def test_a_taken_port_and_a_bad_setting_stop_it_at_once(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            ended = run("serve", "--port", taken.getsockname()[1], home=self.home())
            self.assertEqual(ended.status, 1)
            self.assertIn(str(taken.getsockname()[1]), ended.err)
        wrong = run("serve", "--set", "serve.worker=2", home=self.home())
        self.assertEqual(wrong.status, 2)
        self.assertIn("serve.workers", wrong.err)

    def test_limits_are_answered(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        server = self.serve("serve.max_jobs=2", "serve.workers=1", "serve.upload.max_bytes=100000", "http.allow=[127.0.0.1]",
                            "http.timeout=20")
        client = server.client()
        big = client.post("/v1/videos", b"x" * 200000, headers={"Content-Type": "video/mp4"})
        self.assertEqual(big.status, 413)
        text = client.post("/v1/videos", b"x", headers={"Content-Type": "text/plain"})
        self.assertEqual(text.status, 415)
        statuses = [client.post("/v1/videos", {"url": f"http://127.0.0.1:{silent.getsockname()[1]}/a.mp4"}).status for _ in range(4)]
        self.assertEqual(statuses, [202, 202, 429, 429])
        for job in client.get("/v1/jobs").json()["jobs"]:
            self.assertEqual(client.delete(f"/v1/jobs/{job['job']}").status, 204)
            self.assertEqual(client.get(f"/v1/jobs/{job['job']}").status, 404)

    def test_metrics_count(self):
        server = self.serve()
        client = server.client()
        client.tag(self.clips[0])
        # A job that has ended is seen as such just before it is counted.
        ended = 'reeltag_serve_jobs_total{outcome="done"} 1'
        deadline = time.monotonic() + 10
        while ended not in client.get("/metrics").body.decode() and time.monotonic() < deadline:
            time.sleep(0.02)
        text = client.get("/metrics").body.decode()
        for line in (ended, 'reeltag_model_info{name="starter",version="starter"} 1',
                     'reeltag_inference_stage_duration_seconds_count{stage="forward"} 1', "reeltag_queue_depth 0"):
            self.assertIn(line, text)
        for owner in (client.get("/v1/videos").json()["videos"][0]["video"],):
            self.assertNotIn(owner, text)

    def test_postgresql_holds_the_queue_too(self):
        database = postgres.Server(ROOT)
        self.addCleanup(database.remove)
        database.start()
        database.psql("postgres", "CREATE DATABASE served")
        client = self.serve(f"catalog.url={database.url('served')}", **database.environment()).client()
        video = client.tag(self.clips[0])
        self.assertEqual(client.get(f"/v1/videos/{video}").status, 200)

    def test_schemathesis_finds_nothing(self):
        server = self.serve("serve.http.requests_per_second=0", "serve.max_jobs=100000",
                            "serve.http.max_connections_per_address=1000")
        client = server.client()
        video = client.tag(self.clips[0])
        for number, known in enumerate(("", f'[parameters]\nvideo = "{video}"\n')):
            config = self.place / f"schemathesis{number}.toml"
            # It sends one Idempotency-Key with many bodies, of which all but the first are refused with 422.
            again = ('[[operations]]\ninclude-operation-id = "addVideo"\n[operations.checks.positive_data_acceptance]\n'
                     'expected-statuses = ["2xx", 401, 403, 404, 409, 422, 429, "5xx"]\n')
            config.write_text(known + again, encoding="utf-8")
            command = [SCHEMATHESIS, "--config-file", config, "run", server.url + "openapi.json", "--no-color", "-n", "40",
                       "--seed", "1", "-H", f"Authorization: Bearer {server.local_token()}"]
            if known:  # what takes a known video away would leave nothing to look at
                command += ["--exclude-operation-id", "deleteVideo", "--phases", "coverage,fuzzing"]
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False,
                                  env=environment(SCHEMATHESIS_HOOKS="schemathesis_hooks", PYTHONPATH=str(HERE)), cwd=self.place,
                                  timeout=300)
            self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr)
        self.assertEqual(client.get("/readyz").status, 200)


if __name__ == "__main__":
    unittest.main()

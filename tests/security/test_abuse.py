"""One visitor against the others: slow sites, floods, quotas, streams. Rows "fairness" and "quotas" of docs/security.md."""
import http.client
import http.server
import threading
import time
import unittest

from live import VIDEO, Client, LiveTest


class Drip(http.server.ThreadingHTTPServer):
    """A site that sends a video of 10 MB, 3 kB a second, and counts who listens."""
    daemon_threads = True

    def __init__(self):
        self.open = 0
        super().__init__(("127.0.0.1", 0), DripHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/v.mp4"


class DripHandler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "10000000")
        self.end_headers()
        self.server.open += 1
        try:
            while True:
                self.wfile.write(b"x" * 300)
                time.sleep(0.1)
        except OSError:
            pass
        finally:
            self.server.open -= 1

    def log_message(self, *_):
        pass


class AbuseTest(LiveTest):
    settings = ("http.allow=[127.0.0.1]", "serve.http.requests_per_second=0", "serve.http.max_connections_per_address=60",
                "serve.max_feedback=5", "serve.max_kept_jobs=10", "serve.max_streams=4", "serve.fetch_seconds=60")

    def test_sites_that_drip_delay_nobody(self):
        site = Drip()
        self.addCleanup(site.server_close)
        self.addCleanup(site.shutdown)
        attacker = self.server.client(browser=True)
        jobs = [attacker.post("/v1/videos", {"url": f"{site.url}?{n}"}).json()["job"] for n in range(8)]
        time.sleep(1)
        self.assertGreaterEqual(site.open, 1)
        honest = self.server.client()
        for clip in self.clips[:3]:
            begin = time.monotonic()
            honest.tag(clip)
            self.assertLess(time.monotonic() - begin, 5)
        # Each is given up by its rate, long before its deadline.
        first = attacker.ended(jobs[0], seconds=25)
        self.assertEqual((first["state"], first["error"]["code"]), ("failed", "timeout"), first)
        for job in jobs:
            attacker.delete(f"/v1/jobs/{job}")

    def test_a_flood_of_uploads_delays_nobody(self):
        attacker, video = self.server.client(browser=True), self.clips[0].read_bytes()
        for number in range(40):
            attacker.post("/v1/videos", video + b"\0\0\0\x0cfree" + number.to_bytes(4, "big"), headers=VIDEO)
        honest = self.server.client()
        begin = time.monotonic()
        honest.tag(self.clips[1])
        self.assertLess(time.monotonic() - begin, 5)

    def test_feedback_has_a_cap_and_pages(self):
        visitor = self.server.client(browser=True)
        video = visitor.tag(self.clips[2])
        path = f"/v1/videos/{video}/feedback"
        answers = [visitor.post(path, {"hashtag": f"tag{n}", "verdict": "add"}).status for n in range(8)]
        self.assertEqual(answers, [201] * 5 + [429] * 3)
        self.assertEqual(visitor.post(path, {"hashtag": "tag1", "verdict": "accept"}).status, 201)  # a change of mind
        self.assertEqual(visitor.delete(f"{path}?hashtag=tag1").status, 204)
        self.assertEqual(visitor.post(path, {"hashtag": "other", "verdict": "add"}).status, 201)
        first = visitor.get(f"{path}?limit=3").json()
        self.assertEqual((len(first["feedback"]), first["next"]), (3, "3"))
        rest = visitor.get(f"{path}?limit=3&cursor={first['next']}").json()
        self.assertEqual((len(rest["feedback"]), "next" in rest), (2, False))

    def test_messages_name_no_inner_address_to_visitors(self):
        visitor, local = self.server.client(browser=True), self.server.client()
        for url in ("http://10.1.2.3/a.mp4", "http://127.0.0.1:1/a.mp4", "http://localhost:2/a.mp4"):
            told = visitor.ended(visitor.post("/v1/videos", {"url": url}).json()["job"])["error"]["detail"]
            for inner in ("10.1.2.3", "127.0.0.1", "http.allow", "port"):
                self.assertNotIn(inner, told)
            told = local.ended(local.post("/v1/videos", {"url": url}).json()["job"])["error"]["detail"]
            self.assertRegex(told, r"10\.1\.2\.3|127\.0\.0\.1|localhost")

    def test_names_lose_what_would_act_on_a_terminal(self):
        visitor = self.server.client(browser=True)
        job = visitor.upload(self.clips[0], name="a\x1b[31m\u202egpj.\u2066b\x9b.mp4")
        self.assertEqual(visitor.ended(job)["name"], "a[31mgpj.b.mp4")

    def test_jobs_that_failed_are_not_kept_for_ever(self):
        visitor = self.server.client(browser=True)
        last = [visitor.post("/v1/videos", {"url": f"http://127.0.0.1:1/{n}.mp4"}).json()["job"] for n in range(30)][-1]
        visitor.ended(last)
        time.sleep(0.5)
        self.assertLessEqual(len(visitor.get("/v1/jobs?limit=200").json()["jobs"]), 12)

    def test_a_visitor_has_a_quota_and_so_has_its_address(self):
        server = self.serve("serve.max_videos=2")
        ann = server.client(browser=True)
        for clip in self.clips[:2]:
            ann.tag(clip)
        video = self.clips[2].read_bytes()
        refused = ann.post("/v1/videos", video, headers=VIDEO)
        self.assertEqual((refused.status, refused.json()["code"]), (429, "quota_exceeded"))
        tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "5"}
        self.assertEqual(ann.post("/v1/uploads", b"", headers=tus).status, 429)
        self.assertEqual(ann.post("/v1/videos", {"url": "http://example.org/a.mp4"}).status, 429)
        # Another name does not help, a token of the operator's is not bound.
        self.assertEqual(server.client(browser=True).post("/v1/videos", video, headers=VIDEO).status, 429)
        self.assertEqual(server.client().post("/v1/videos", video, headers=VIDEO).status, 202)
        mine = ann.get("/v1/videos?of=mine").json()["videos"]
        self.assertEqual(ann.delete(f"/v1/videos/{mine[0]['video']}").status, 204)
        self.assertEqual(ann.post("/v1/videos", video, headers=VIDEO).status, 202)

    def test_streams_have_a_cap(self):
        visitor = self.server.client(browser=True)
        site = Drip()
        self.addCleanup(site.server_close)
        self.addCleanup(site.shutdown)
        job = visitor.post("/v1/videos", {"url": site.url}).json()["job"]
        cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        statuses, connections = [], []
        for _ in range(6):
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
            connection.request("GET", f"/v1/jobs/{job}/events", headers={"Cookie": cookie})
            answer = connection.getresponse()
            statuses.append(answer.status)
            connections.append((connection, answer))
            if answer.status == 200:
                answer.readline()
        self.assertEqual(statuses, [200] * 4 + [429] * 2)
        self.assertEqual(Client(self.server.port).get("/healthz").status, 200)
        visitor.delete(f"/v1/jobs/{job}")
        for connection, _ in connections:
            connection.close()

    def test_probes_are_answered_when_an_address_has_all_its_connections(self):
        held = [http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10) for _ in range(60)]
        try:
            for connection in held:
                connection.connect()
            time.sleep(0.3)
            self.assertEqual(Client(self.server.port).get("/readyz").status, 200)
            self.assertEqual(Client(self.server.port).get("/v1/session").status, 429)
        finally:
            for connection in held:
                connection.close()


if __name__ == "__main__":
    unittest.main()

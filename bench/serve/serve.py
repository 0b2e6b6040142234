#!/usr/bin/env python3
"""Load test of a real `reeltag serve`: bench/serve/serve.py [--seconds 60] [--rate 200] [--clips FOLDER] [--out FILE.json]

Runs concurrently, on the machine of the server:
- reads of /v1 at a fixed rate over 16 connections; latency is measured from the time when the request was due, so that
  a stalling server does not delay the measurement;
- uploads of a clip each second, with different bytes each time, followed until the hashtags are there;
- 32 stalling connections: silent ones, slow heads and bodies, responses that are not read; each one cut is replaced;
- uploads over the limit of 1 GB: declared as 2 GB (tus, and a plain body), and a body of 2 GB of undeclared length.
Prints JSON; exits with 1 if a response was not the expected one, or memory grew over 1 GB.
"""
import argparse
import collections
import http.client
import json
import os
import pathlib
import platform
import random
import socket
import struct
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import serving  # noqa: E402
import support  # noqa: E402

READERS, STALLED = 16, 32
LIMIT = 1 << 30
MOST_MEMORY = 1 << 30


class Load:
    def __init__(self, server, folder, videos, clips, seconds, rate):
        self.server, self.folder, self.videos, self.clips = server, folder, videos, clips
        self.seconds, self.rate = seconds, rate
        self.latencies, self.statuses = [], collections.Counter()
        self.to_hashtags, self.unexpected = [], []
        self.cut, self.over = collections.Counter(), {}
        self.lock, self.over_at = threading.Lock(), time.monotonic() + seconds

    def running(self):
        return time.monotonic() < self.over_at

    def wrong(self, what):
        with self.lock:
            self.unexpected.append(what)

    def paths(self, generator):
        video = generator.choice(self.videos)
        return generator.choice([
            "/v1/videos?limit=20", f"/v1/videos/{video}", f"/v1/videos/{video}/tags?threshold=0&top=50", "/v1/jobs?limit=20",
            "/v1/search?q=music", "/v1/session", "/v1/models", f"/v1/videos/{video}/feedback"])

    def read(self, number):
        generator = random.Random(number)
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        due = time.monotonic() + number / self.rate
        while self.running():
            time.sleep(max(0.0, due - time.monotonic()))
            path = self.paths(generator)
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except OSError as error:
                status = type(error).__name__
                connection.close()
            with self.lock:
                self.latencies.append(time.monotonic() - due)
                self.statuses[str(status)] += 1
            if status != 200:
                self.wrong(f"GET {path}: {status}")
            due += READERS / self.rate
        connection.close()

    def upload(self):
        client, number = self.server.client(), 0
        while self.running():
            begin = time.monotonic()
            try:
                job = client.ended(client.upload(self.fresh(number)))
                self.to_hashtags.append(time.monotonic() - begin)
                if job["state"] != "done":
                    self.wrong(f"upload: {job}")
            except (AssertionError, OSError) as error:
                self.wrong(f"upload: {error}")
            number += 1
            time.sleep(max(0.0, begin + 1 - time.monotonic()))

    def fresh(self, number):
        """A video new to the server: a clip with a unique box at its end, which players ignore."""
        mark = f"{os.getpid()} {number}".encode()
        path = self.folder / "fresh.mp4"
        path.write_bytes(self.clips[number % len(self.clips)].read_bytes() + struct.pack(">I4s", 8 + len(mark), b"free") + mark)
        return path

    def stall(self, number):
        kind = ("silent", "head", "body", "unread")[number % 4]
        start = {"silent": b"", "head": b"GET /v1/videos HTTP/1.1\r\nHost: localhost\r\nX-A: ",
                 "body": b"POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\nContent-Length: 1000000\r\n\r\n",
                 "unread": f"GET /v1/videos/{self.videos[0]}/file HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 200}[kind]
        while self.running():
            try:
                with socket.create_connection(("127.0.0.1", self.server.port)) as client:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                    client.settimeout(0.5)
                    client.sendall(start)
                    while self.running():
                        if kind in ("head", "body"):
                            client.sendall(b"a")
                        if kind == "unread":
                            time.sleep(0.5)
                            client.sendall(b"")
                            continue
                        try:
                            if not client.recv(65536):
                                break
                        except TimeoutError:
                            pass
            except OSError:
                pass
            if self.running():
                with self.lock:
                    self.cut[kind] += 1

    def too_large(self):
        client = self.server.client()
        answer = client.post("/v1/uploads", b"", headers={"Tus-Resumable": "1.0.0", "Upload-Length": str(2 * LIMIT)})
        self.over["tus, 2 GB declared"] = answer.status
        self.over["body, 2 GB declared"] = self.declared()
        begin = time.monotonic()
        self.over["body, 2 GB in chunks"], sent = self.chunks()
        self.over["bytes taken in chunks"], self.over["seconds for them"] = sent, round(time.monotonic() - begin, 1)
        for name in ("tus, 2 GB declared", "body, 2 GB declared", "body, 2 GB in chunks"):
            if self.over[name] != 413:
                self.wrong(f"{name}: {self.over[name]}")

    def status_of(self, client):
        client.settimeout(30)
        answer = client.recv(4096).split(b" ", 2)
        return int(answer[1]) if len(answer) > 1 else 0

    def declared(self):
        with socket.create_connection(("127.0.0.1", self.server.port)) as client:
            client.sendall(b"POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\n"
                           b"Content-Length: " + str(2 * LIMIT).encode() + b"\r\n\r\n")
            return self.status_of(client)

    def chunks(self):
        piece = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
        sent = 0
        with socket.create_connection(("127.0.0.1", self.server.port)) as client:
            client.sendall(b"POST /v1/videos HTTP/1.1\r\nHost: localhost\r\nContent-Type: video/mp4\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n")
            try:
                while sent < 2 * LIMIT:
                    client.sendall(piece)
                    sent += 1 << 20
            except OSError:
                pass
            try:
                return self.status_of(client), sent
            except OSError:
                return 0, sent

    def run(self):
        threads = [threading.Thread(target=self.read, args=(number,)) for number in range(READERS)]
        threads += [threading.Thread(target=self.stall, args=(number,)) for number in range(STALLED)]
        threads += [threading.Thread(target=self.upload), threading.Thread(target=self.too_large)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def quantile(values, share):
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 4) if values else None


def report(load, before):
    grown = load.server.memory()
    return {
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "seconds": load.seconds, "rate": load.rate,
        "reads": {"count": len(load.latencies), "statuses": dict(load.statuses),
                  "seconds": {"p50": quantile(load.latencies, 0.5), "p95": quantile(load.latencies, 0.95),
                              "p99": quantile(load.latencies, 0.99), "max": quantile(load.latencies, 1.0)}},
        "uploads": {"count": len(load.to_hashtags),
                    "seconds to hashtags": {"p50": quantile(load.to_hashtags, 0.5), "max": quantile(load.to_hashtags, 1.0)}},
        "stalled connections": {"at a time": STALLED, "cut": dict(load.cut)},
        "over the limit": load.over,
        "memory bytes": {"before": before, "most": grown},
        "unexpected": load.unexpected[:20],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--clips", type=pathlib.Path, help="videos to upload (default: drawn ones)")
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        if not options.clips:
            support.make_clips(place / "clips", set="look", classes=4, clips_per_class=5)
        clips = sorted((options.clips or place / "clips").rglob("*.mp4"))[:20]
        # All clients share one address but stand for different ones: no limit per address.
        settings = ("serve.http.requests_per_second=0", "serve.http.max_connections_per_address=1024")
        with serving.Server(place / "home", *settings) as server:
            client = server.client()
            videos = [client.tag(clip) for clip in clips]
            before = server.memory()
            load = Load(server, place, videos, clips, options.seconds, options.rate)
            load.run()
            out = report(load, before)
    text = json.dumps(out, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")
    return 1 if out["unexpected"] or out["memory bytes"]["most"] > MOST_MEMORY else 0


if __name__ == "__main__":
    sys.exit(main())

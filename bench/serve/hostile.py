#!/usr/bin/env python3
"""An honest visitor beside a hostile one: bench/serve/hostile.py [--minutes 60] [--out FILE.json]

A server runs with its defaults. The hostile visitor, from one address, without pause: lets it fetch from a site that sends 3 kB a
second, floods it with uploads and feedback, opens event streams, and takes new names. The honest visitor, with a name of its own
from another address, uploads a clip every five seconds and waits for its hashtags. Prints one line of JSON: how long each
took; fails if one took longer than 5 s.
"""
import argparse
import contextlib
import http.client
import json
import pathlib
import random
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ("tests/e2e", "tests/security"):
    sys.path.insert(0, str(ROOT / folder))
from serving import Client, Server  # noqa: E402
from support import make_clips  # noqa: E402
from test_abuse import Drip  # noqa: E402

VIDEO = {"Content-Type": "video/mp4"}
EVERY, LIMIT = 5.0, 5.0  # seconds


class From(Client):
    """A client at another loopback address."""

    def __init__(self, source, port, **more):
        self.source = source
        super().__init__(port, **more)

    def connect(self, timeout):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout, source_address=(self.source, 0))


def padded(clip, number):
    """The same video with other bytes."""
    return clip + b"\0\0\0\x10free" + number.to_bytes(8, "big")


def attack(port, site, clip, stop, counts):
    """One of the hostile visitor's threads."""
    chance = random.Random(threading.get_ident())
    client, job = None, None
    while not stop.is_set():
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, KeyError):
            if client is None or chance.random() < 0.02:
                client = From("127.0.0.66", port, browser=True)  # a new name
            what = chance.choice(("drip", "upload", "stream", "feedback"))
            counts[what] = counts.get(what, 0) + 1
            if what == "drip":
                job = client.post("/v1/videos", {"url": f"{site.url}?{chance.random()}"}, timeout=20).json().get("job")
            elif what == "upload":
                client.post("/v1/videos", padded(clip, chance.getrandbits(63)), headers=VIDEO, timeout=20)
            elif what == "stream" and job:
                connection = client.connect(5)
                cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
                connection.request("GET", f"/v1/jobs/{job}/events", headers={"Cookie": cookie})
                threading.Timer(30, connection.close).start()
            elif what == "feedback":
                videos = client.get("/v1/videos?of=mine&limit=1", timeout=20).json()["videos"]
                for one in videos:
                    client.post(f"/v1/videos/{one['video']}/feedback", {"hashtag": f"x{chance.random()}", "verdict": "add"}, timeout=20)
        time.sleep(0.02)


def measure(minutes, place):
    clips = [clip.read_bytes() for clip in make_clips(place / "clips", set="look", classes=2, clips_per_class=2)]
    site, stop, counts = Drip(), threading.Event(), {}
    with Server(place / "home", "http.allow=[127.0.0.1]") as server:
        threads = [threading.Thread(target=attack, args=(server.port, site, clips[0], stop, counts), daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        honest, seconds, refused = From("127.0.0.7", server.port, browser=True), [], 0
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            begin = time.monotonic()
            answer = honest.post("/v1/videos", padded(clips[1], len(seconds)), headers=VIDEO)
            if answer.status != 202:
                refused += 1
            else:
                job = honest.ended(answer.json()["job"], seconds=120)
                seconds.append(time.monotonic() - begin)
                honest.delete(f"/v1/videos/{job['video']}")
            time.sleep(max(0.0, EVERY - (time.monotonic() - begin)))
        stop.set()
        memory = server.memory()
    site.shutdown()
    seconds.sort()
    return {"minutes": minutes, "uploads": len(seconds), "refused": refused, "median": round(seconds[len(seconds) // 2], 2),
            "p99": round(seconds[int(len(seconds) * 0.99)], 2), "worst": round(seconds[-1], 2), "attacks": counts,
            "server_megabytes": memory >> 20}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--out", type=pathlib.Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(asked.minutes, pathlib.Path(folder))
    text = json.dumps(result)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n", encoding="utf-8")
    return 0 if result["refused"] == 0 and result["worst"] <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())

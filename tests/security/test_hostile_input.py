"""What strangers send and how they read: rows "decoder", "exhaust" and "forgetting" of docs/security.md, against a live server."""
import pathlib
import socket
import struct
import time
import unittest

from live import VIDEO, Client, LiveTest
from support import make_clips, run


def huge_gif(frames):
    """A few bytes that announce 65,535 x 65,535 pixels a frame."""
    head = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0xF0, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x02\x02\x4c\x01\x00"
    return head + frame * frames + b"\x3b"


def workers_of(server):
    """The server's processes that decode."""
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and b"decode-worker" in (entry / "cmdline").read_bytes() \
                    and f"\nPPid:\t{server}\n" in (entry / "status").read_text():
                yield entry
        except OSError:
            continue  # ended meanwhile


def facts_of(process):
    try:
        lines = (line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
        return {**dict(lines), "files": len(list((process / "fd").iterdir()))}
    except OSError:
        return {}


class HostileTest(LiveTest):
    settings = ("serve.http.stall_timeout=2", "serve.http.requests_per_second=0")

    def test_a_picture_that_would_fill_the_memory(self):
        visitor = self.server.client(browser=True)
        before = self.server.memory()
        for name, data in (("one.gif", huge_gif(1)), ("many.gif", huge_gif(500))):
            answer = visitor.post("/v1/videos", data, headers={"Content-Type": "image/gif", "Content-Disposition": f"attachment; filename={name}"})
            job = visitor.ended(answer.json()["job"])
            self.assertEqual(job["state"], "failed", job)
            self.assertIn(job["error"]["code"], ("too_large", "decode_failed", "not_a_video", "unsupported"))
            self.assertIn(name, job["error"]["detail"])
        self.assertLess(self.server.memory() - before, 300 << 20)
        visitor.tag(self.clips[0])

    def test_a_decoder_of_a_strangers_video_is_shut_in(self):
        make_clips(self.place / "long", set="look", classes=1, clips_per_class=1, seconds=120, size="640x360")
        visitor = self.server.client(browser=True)
        job = visitor.upload(next((self.place / "long").rglob("*.mp4")))
        seen, end = None, time.monotonic() + 60
        while seen is None and time.monotonic() < end:
            seen = next((facts for facts in map(facts_of, workers_of(self.server.process.pid)) if facts.get("Seccomp") == "2"), None)
        self.assertIsNotNone(seen, "no worker entered its sandbox")
        self.assertEqual(seen["NoNewPrivs"], "1")
        self.assertLessEqual(seen["files"], 16)
        self.assertEqual(visitor.ended(job)["state"], "done")

    def test_readers_that_do_not_read(self):
        visitor = self.server.client(browser=True)
        video = visitor.tag(self.clips[0])
        cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
        held = []
        for _ in range(20):
            reader = socket.socket()
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            reader.connect(("127.0.0.1", self.server.port))
            request = f"GET /v1/videos/{video}/file HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n"
            reader.sendall(request.encode() * 50)
            held.append(reader)
        begin = time.monotonic()
        self.assertEqual(visitor.get(f"/v1/videos/{video}").status, 200)
        visitor.tag(self.clips[1])
        self.assertLess(time.monotonic() - begin, 5)
        for reader in held:
            reader.close()

    def test_a_full_disk_refuses_and_loses_nothing(self):
        server = self.serve("serve.upload.min_free_bytes=100000000000000")
        visitor = server.client(browser=True)
        self.assertEqual(visitor.post("/v1/videos", self.clips[0].read_bytes(), headers=VIDEO).status, 507)
        job = visitor.post("/v1/videos", {"url": "http://example.org/a.mp4"}).json()["job"]
        time.sleep(1.5)
        waiting = visitor.get(f"/v1/jobs/{job}").json()
        self.assertIn(waiting["state"], ("queued", "running"), waiting)  # until there is room
        self.assertEqual(Client(server.port).get("/readyz").status, 200)

    def test_what_is_forgotten_while_it_comes_stays_forgotten(self):
        server = self.serve()
        visitor = server.client(browser=True)
        video = visitor.tag(self.clips[2])
        jobs = [visitor.upload(self.clips[2], name=f"again-{n}.mp4") for n in range(5)]
        done = run("forget", "--video", video, "--json", home=server.home)
        self.assertIn(done.status, (0, 3), done)
        jobs += [visitor.upload(self.clips[2]) for _ in range(3)]
        for job in jobs[5:]:
            ended = visitor.ended(job)
            self.assertEqual((ended["state"], ended["error"]["code"]), ("failed", "permission_denied"), ended)
        for job in jobs[:5]:  # ended, or gone with the video
            if visitor.get(f"/v1/jobs/{job}").status == 200:
                visitor.ended(job)
        self.assertEqual(visitor.get(f"/v1/videos/{video}").status, 404)
        self.assertFalse(list((server.home / "store").rglob(f"*{video}*")))


if __name__ == "__main__":
    unittest.main()

"""`reeltag tag URL` and `tag -`: a real server on loopback, which may be reached only where that is allowed."""
import functools
import http.server
import os
import pathlib
import subprocess
import threading
import unittest

import support
from support import must, run

ALLOW = ["--set", "http.allow=[127.0.0.1]"]


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append(self.path)
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *arguments):
        pass


class Url(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home, cls.site = cls.folder / "home", cls.folder / "site"
        clips = cls.folder / "clips"
        cls.clip = support.make_clips(clips, set="look", classes=4, clips_per_class=10, seconds=1, size="64x64")[0]
        support.train_tiny(cls.home, clips)
        cls.site.mkdir()
        (cls.site / "clip.mp4").write_bytes(cls.clip.read_bytes())
        (cls.site / "page.mp4").write_text("<html><body>no video here</body></html>", encoding="utf-8")
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(cls.site)))
        cls.server.seen = []
        cls.thread = threading.Thread(target=cls.server.serve_forever, daemon=True)
        cls.thread.start()
        cls.addClassCleanup(cls.server.shutdown)

    def setUp(self):
        self.server.seen.clear()

    def url(self, path, host="127.0.0.1"):
        return f"http://{host}:{self.server.server_port}/{path}"

    def tag(self, *arguments, **more):
        return run("tag", "--model", "tiny", "--threshold", "0", "--json", *arguments, home=self.home, **more)

    def test_a_url_is_tagged_as_its_file_is(self):
        local = must(self.tag(self.clip)).json()
        fetched = must(self.tag(self.url("clip.mp4"), *ALLOW)).json()
        self.assertEqual(fetched.pop("video"), self.url("clip.mp4"))
        local.pop("video")
        self.assertEqual(fetched, local)
        self.assertEqual([path.name for path in self.home.glob(".tmp-*")], [])

    def test_standard_input_is_tagged_as_its_file_is(self):
        local = must(self.tag(self.clip)).json()
        command = [support.PROGRAM, "--home", self.home, "tag", "--model", "tiny", "--threshold", "0", "--json", "-"]
        with self.clip.open("rb") as content:
            done = subprocess.run([str(word) for word in command], stdin=content, capture_output=True, text=True,
                                  timeout=120, check=False, env=support.environment())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.replace('"video":"-"', ""), must(self.tag(self.clip)).out.replace(
            f'"video":"{self.clip}"', ""))
        self.assertTrue(local["tags"])

    def test_this_machine_is_reached_by_no_spelling(self):
        hosts = ["127.0.0.1", "localhost", "localhost.", "LocalHost", "127.1", "2130706433", "0x7f000001", "0x7f.1",
                 "017700000001", "0177.0.0.1", "127.127.127.127", "0.0.0.0", "0", "[::1]", "[::]", "[::ffff:127.0.0.1]",
                 "[64:ff9b::7f00:1]", "127.0.0.1.", "example.com@127.0.0.1", "a.localhost"]
        urls = [self.url("clip.mp4", host) for host in hosts]
        done = self.tag(*urls)
        self.assertEqual(done.status, 3, done)
        self.assertEqual(done.out, "")
        errors = done.errors()
        self.assertEqual(set(errors), set(urls), done)
        self.assertIn(errors[urls[0]]["code"], "permission_denied")
        self.assertIn("not a public address", errors[urls[0]]["message"])
        self.assertEqual(self.server.seen, [])

    def test_nor_by_a_redirect(self):
        # The first address is allowed, the one behind it is not.
        targets = [self.url("clip.mp4", host) for host in ("127.0.0.2", "localhost.", "0x7f.2", "[::1]", "0.0.0.0")]
        done = self.tag(*[self.url("to/" + target) for target in targets], "file:///etc/passwd", *ALLOW)
        self.assertEqual(done.out, "", done)
        self.assertEqual(done.status, 3)
        self.assertEqual(len(done.errors()), 6)
        self.assertTrue(all(path.startswith("/to/") for path in self.server.seen), self.server.seen)

    def test_what_is_no_video_or_not_there_is_named_and_the_others_tagged(self):
        page, missing, good = self.url("page.mp4"), self.url("none.mp4"), self.url("clip.mp4")
        done = self.tag(page, missing, good, *ALLOW)
        self.assertEqual(done.status, 3, done)
        self.assertEqual(done.json()["video"], good)
        self.assertEqual({url: error["code"] for url, error in done.errors().items()},
                         {page: "not_a_video", missing: "not_found"})

    def test_a_download_has_a_largest_size(self):
        done = self.tag(self.url("clip.mp4"), *ALLOW, "--set", "http.max_bytes=1000")
        self.assertEqual(done.status, 3)
        self.assertEqual(done.errors()[self.url("clip.mp4")]["code"], "too_large")

    def test_doctor_says_whether_the_system_can_isolate(self):
        lines = run("doctor", "--json", home=self.home).json_lines()
        self.assertTrue([line for line in lines if "isolation" in line["check"] and line["ok"]], lines)

    def test_a_worker_is_no_command_for_people(self):
        self.assertNotIn("decode-worker", run("--help").out)
        done = subprocess.run([str(support.PROGRAM), "decode-worker", "--fd", "3"], capture_output=True, timeout=20,
                              check=False, close_fds=True)
        self.assertNotEqual(done.returncode, 0)


class Mutations(support.Case):
    def test_damaged_videos_cost_themselves_only(self):
        clips = [self.folder / name for name in ("a.mp4", "b.webm", "c.avi", "d.gif")]
        source = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=12:duration=1"]
        codecs = (["-c:v", "libx264", "-pix_fmt", "yuv420p"], ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
                  ["-c:v", "mpeg4"], [])
        for clip, codec in zip(clips, codecs):
            support.ffmpeg(*source, *codec, clip)
        program = pathlib.Path(support.PROGRAM).with_name("mutate_media")
        done = subprocess.run([str(program), "--count", "40", *map(str, clips)], capture_output=True, text=True, timeout=300,
                              check=False, env=dict(os.environ))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 4)


if __name__ == "__main__":
    unittest.main()

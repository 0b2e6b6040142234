"""Odd and hostile videos through `reeltag tag`: each is tagged or named with a reason, none stops the run."""
import struct
import unittest

import support
from support import must, run

SOURCE = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=12:duration=2"]
X264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p"]


def make(path, *options, source=None):
    support.ffmpeg(*(SOURCE if source is None else source), *options, path)
    return path


def patched(path, out, change):
    content = bytearray(path.read_bytes())
    change(content)
    out.write_bytes(content)
    return out


def box(content, *names):
    """Offset of the body of the last of nested MP4 boxes named so, found by their order in the file."""
    at = 0
    for name in names:
        at = content.index(name, at) + 4
    return at


def lie_about_duration(value):
    """Every duration in the headers becomes `value` ticks."""
    def change(content):
        struct.pack_into(">I", content, box(content, b"mvhd") + 16, value)
        struct.pack_into(">I", content, box(content, b"tkhd") + 20, value)
        struct.pack_into(">I", content, box(content, b"mdhd") + 16, value)
    return change


def lie_about_rate(content):
    """One sample that lasts all of the 32-bit range, thousands a second for the rest."""
    at = box(content, b"stts") + 8
    struct.pack_into(">I", content, at + 4, 1)


def lie_about_size(content):
    at = box(content, b"avc1") + 24
    struct.pack_into(">HH", content, at, 0xFFFF, 0xFFFF)
    struct.pack_into(">II", content, box(content, b"tkhd") + 76, 0xFFFF0000, 0xFFFF0000)


def break_chunk_offsets(content):
    at = box(content, b"stco")
    count = struct.unpack_from(">I", content, at + 4)[0]
    for i in range(count):
        struct.pack_into(">I", content, at + 8 + 4 * i, 0xFFFFFFF0)


def claim_many_samples(content):
    at = box(content, b"stsz")
    struct.pack_into(">I", content, at + 8, 0x7FFFFFFF)


def huge_gif_screen(content):
    struct.pack_into("<HH", content, 6, 0xFFFF, 0xFFFF)


class Hostile(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home, cls.videos = cls.folder / "home", cls.folder / "videos"
        cls.videos.mkdir()
        clips = cls.folder / "clips"
        support.make_clips(clips, set="look", classes=4, clips_per_class=10, seconds=1, size="64x64")
        support.train_tiny(cls.home, clips)
        cls.plain = make(cls.videos / "plain.mp4", *X264, "-movflags", "+faststart")

    def tag(self, *videos, isolate="always"):
        return run("tag", "--model", "tiny", "--threshold", "0", "--json", "--set", f"media.isolate={isolate}",
                   "--set", "media.max_decode_seconds=20", *videos, home=self.home, timeout=300)

    def assert_tagged(self, video, seconds, delta=0.3):
        (line,) = must(self.tag(video)).json_lines()
        self.assertAlmostEqual(line["duration"], seconds, delta=delta)
        self.assertTrue(line["tags"])
        for tag in line["tags"]:
            for start, end in tag["segments"]:
                self.assertTrue(0 <= start < end <= line["duration"] + 0.001, tag)

    def assert_named(self, video, *codes):
        done = self.tag(video, self.plain)
        self.assertEqual(done.status, 3, done)
        self.assertEqual([line["video"] for line in done.json_lines()], [str(self.plain)], done)
        error = done.errors()[str(video)]
        self.assertIn(error["code"], codes, error)
        self.assertGreater(len(error["message"]), 10)

    def assert_tagged_or_named(self, video):
        done = self.tag(video, self.plain)
        self.assertIn(done.status, (0, 3), done)
        told = {line["video"] for line in done.json_lines()} | set(done.errors())
        self.assertEqual(told, {str(video), str(self.plain)}, done)

    def test_ten_bits_a_channel(self):
        x265 = ["-c:v", "libx265", "-x265-params", "log-level=error:pools=1"]
        self.assert_tagged(make(self.videos / "ten.mp4", *x265, "-pix_fmt", "yuv420p10le"), 2)
        self.assert_tagged(make(self.videos / "twelve.mkv", *x265, "-pix_fmt", "yuv422p12le"), 2)

    def test_transparent_pictures(self):
        self.assert_tagged(make(self.videos / "alpha.mov", "-c:v", "prores_ks", "-pix_fmt", "yuva444p10le"), 2)
        self.assert_tagged(make(self.videos / "alpha.webm", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8",
                                "-pix_fmt", "yuva420p"), 2)

    def test_a_duration_that_is_a_lie_does_not_stretch_the_video(self):
        for name, ticks in (("none", 0), ("long", 0x7FFFFFFF), ("unknown", 0xFFFFFFFF), ("short", 1)):
            with self.subTest(name):
                self.assert_tagged_or_named(patched(self.plain, self.videos / f"{name}.mp4", lie_about_duration(ticks)))

    def test_a_frame_rate_that_is_a_lie(self):
        self.assert_tagged_or_named(patched(self.plain, self.videos / "rate.mp4", lie_about_rate))

    def test_sizes_in_the_header_are_not_believed(self):
        self.assert_tagged_or_named(patched(self.plain, self.videos / "size.mp4", lie_about_size))
        gif = make(self.videos / "small.gif")
        self.assert_named(patched(gif, self.videos / "huge.gif", huge_gif_screen), "too_large", "not_a_video")

    def test_broken_indices(self):
        self.assert_named(patched(self.plain, self.videos / "offsets.mp4", break_chunk_offsets), "decode_failed",
                          "not_a_video")
        self.assert_tagged_or_named(patched(self.plain, self.videos / "samples.mp4", claim_many_samples))
        avi = make(self.videos / "whole.avi", "-c:v", "mpeg4")
        without = self.videos / "index.avi"
        without.write_bytes(avi.read_bytes()[:avi.read_bytes().rindex(b"idx1")])
        self.assert_tagged(without, 2)

    def test_one_frame(self):
        one = make(self.videos / "one.mp4", *X264, "-frames:v", "1")
        (line,) = must(self.tag(one)).json_lines()
        self.assertTrue(line["tags"])
        self.assertGreaterEqual(line["duration"], 0)

    def test_sound_alone_is_no_video(self):
        source = ["-f", "lavfi", "-i", "sine=frequency=440:duration=2"]
        self.assert_named(make(self.videos / "sound.m4a", "-c:a", "aac", source=source), "not_a_video")
        self.assert_named(make(self.videos / "sound.mp4", "-c:a", "aac", source=source), "not_a_video")

    def test_a_gif_that_never_ends_is_seen_once(self):
        self.assert_tagged(make(self.videos / "endless.gif", "-loop", "0"), 2)

    def test_a_picture_that_changes_its_size_midway(self):
        parts = [make(self.videos / "a.ts", *X264), make(self.videos / "b.ts", *X264, "-vf", "scale=64:96")]
        joined = self.videos / "joined.ts"
        joined.write_bytes(b"".join(part.read_bytes() for part in parts))
        self.assert_tagged_or_named(joined)

    def test_links_inside_a_file_are_not_followed(self):
        playlist = self.videos / "list.m3u8"
        playlist.write_text(f"#EXTM3U\n#EXTINF:2,\n{self.plain}\n#EXT-X-ENDLIST\n", encoding="utf-8")
        concat = self.videos / "list.mp4"
        concat.write_text(f"ffconcat version 1.0\nfile '{self.plain}'\n", encoding="utf-8")
        for video in (playlist, concat):
            self.assert_named(video, "not_a_video", "unsupported", "decode_failed")


if __name__ == "__main__":
    unittest.main()

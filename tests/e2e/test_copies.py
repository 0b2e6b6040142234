"""Copies of a video stay on its side of the split: re-encodings of real clips are found, other clips are not."""
import hashlib
import json
import os
import pathlib
import sqlite3
import unittest

import support
from support import must, run

SHARED = os.environ.get("REELTAG_SHARED")
H264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]
# How copies of a video come about.
COPIES = {
    "smaller.mp4": ["-vf", "scale=trunc(iw*0.375)*2:trunc(ih*0.375)*2", *H264, "-crf", "34"],
    "xvid.avi": ["-c:v", "mpeg4", "-b:v", "150k"],
    "vp9.webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "120k"],
    "bright.mp4": ["-vf", "eq=brightness=0.08:contrast=0.9", *H264, "-crf", "26"],
    "later.mp4": ["-ss", "0.2", *H264, "-crf", "26"],
    "bars.mp4": ["-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2,pad=iw:ih+64:0:32", *H264, "-crf", "26"],
}
EACH = 12  # originals of each set


def real_clips(name):
    folder = pathlib.Path(SHARED) / "data" / name
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    return [(folder / row["file"], row["group"]) for row in rows]


@unittest.skipUnless(SHARED, "set REELTAG_SHARED to the folder with the development data")
class RealClips(support.Case):
    def clusters(self, home):
        must(run("dataset", "freeze", "--min-support", 1, "--val", 20, "--test", 20, "--json", home=home))
        base = sqlite3.connect(home / "catalog.db")
        rows = base.execute("SELECT v.source_id, f.cluster_name FROM video v LEFT JOIN fingerprint f "
                            "ON f.video_row = v.row_no").fetchall()
        base.close()
        return dict(rows)

    def test_copies_are_found(self):
        home, made = self.folder / "home", self.folder / "made"
        made.mkdir()
        rows, wanted = [], {}
        for name in ("actions", "captioned"):
            clips = real_clips(name)
            for clip, group in clips[::len(clips) // EACH][:EACH]:
                key = f"{name}-{clip.stem}"
                rows.append({"file": str(pathlib.Path("made") / f"{key}.mp4"), "id": key, "group": group, "hashtags": ["a"]})
                (made / f"{key}.mp4").write_bytes(clip.read_bytes())
                for kind, options in COPIES.items():
                    copy = made / f"{key}-{kind}"
                    support.ffmpeg("-threads", 1, "-i", clip, "-an", *options, copy)
                    rows.append({"file": f"made/{copy.name}", "id": copy.name, "group": f"copy of {copy.name}",
                                 "hashtags": ["a"]})
                    wanted[copy.name] = (key, kind)
        (self.folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        must(run("import", self.folder / "rows.jsonl", "--json", home=home))
        clusters = self.clusters(home)
        found = {kind: 0 for kind in COPIES}
        for copy, (original, kind) in wanted.items():
            found[kind] += bool(clusters[copy]) and clusters[copy] == clusters[original]
        print(f"copies found of {2 * EACH} each: {found}")
        for kind, number in found.items():
            self.assertGreaterEqual(number, 2 * EACH - (3 if kind == "later.mp4" else 1), f"{kind}: {found}")

    def test_other_clips_are_not_copies(self):
        for name, most in (("captioned", 0), ("actions", 0.1)):
            home = self.folder / name
            must(run("import", pathlib.Path(SHARED) / "data" / name, "--json", home=home))
            clusters = self.clusters(home)
            joined = sum(1 for cluster in clusters.values() if cluster)
            print(f"{name}: {joined} of {len(clusters)} clips look like another one")
            self.assertLessEqual(joined, most * len(clusters))


class Split(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home, clips = cls.folder / "home", cls.folder / "clips"
        made = support.make_clips(clips, set="look", classes=2, clips_per_class=12, seconds=1, size="64x64")
        with open(clips / "manifest.jsonl", "w", encoding="utf-8") as manifest:
            for number, clip in enumerate(made):
                row = {"file": str(clip.relative_to(clips)), "hashtags": [clip.parent.name], "group": f"g{number}",
                       "author": f"author {number // 2}", "created": 1_700_000_000 + number}
                manifest.write(json.dumps(row) + "\n")
        must(run("import", clips, "--json", home=cls.home))

    def freeze(self, *arguments):
        return run("dataset", "freeze", "--min-support", 4, "--json", *arguments, home=self.home)

    def lines(self, dataset):
        text = (self.home / "datasets" / dataset / "videos.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def options(self, dataset):
        return must(run("dataset", "show", dataset, "--json", home=self.home)).json()["options"]

    def test_a_split_by_time_keeps_order_and_families(self):
        dataset = must(self.freeze("--by", "time", "--val", 20, "--test", 20)).json()
        self.assertEqual(self.options(dataset["dataset"])["split"]["by"], "time")
        self.assertNotIn("parted", must(run("dataset", "show", dataset["dataset"], "--json", home=self.home)).json())

    def test_auto_salt_is_noted_and_kept(self):
        first = self.options(must(self.freeze("--salt", "auto", "--val", 30, "--test", 30)).json()["dataset"])["split"]["salt"]
        self.assertRegex(first, r"^reeltag(-\d+)?$")
        again = self.options(must(self.freeze("--salt", "auto", "--val", 20, "--test", 30)).json()["dataset"])
        self.assertEqual(again["split"]["salt"], first)

    def test_rows_from_before_there_were_fingerprints_get_theirs(self):
        base = sqlite3.connect(self.home / "catalog.db")
        before = base.execute("SELECT video_row, frames FROM fingerprint ORDER BY 1").fetchall()
        base.execute("DELETE FROM fingerprint WHERE video_row % 2 = 0")
        base.commit()
        must(self.freeze("--val", 30, "--test", 30))
        after = base.execute("SELECT video_row, frames FROM fingerprint ORDER BY 1").fetchall()
        base.close()
        self.assertEqual(before, after)

    def test_a_set_that_parts_an_author_is_named(self):
        dataset = must(self.freeze("--val", 30, "--test", 30)).json()["dataset"]
        folder = self.home / "datasets" / dataset
        rows = self.lines(dataset)
        self.assertTrue(all(row["author"] != row["group"] for row in rows))
        author = rows[0]["author"]
        theirs = [row for row in rows if row["author"] == author]
        self.assertEqual(len({row["split"] for row in theirs}), 1)
        theirs[0]["split"] = "val" if theirs[0]["split"] != "val" else "test"
        # As somebody would who knows how a set is written.
        canonical = {"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False}
        text = "".join(json.dumps(row, **canonical) + "\n" for row in rows)
        head = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        head["content"]["videos"]["sha256"] = hashlib.sha256(text.encode()).hexdigest()
        head["id"] = hashlib.sha256(json.dumps(head["content"], **canonical).encode()).hexdigest()[:16]
        broken = folder.with_name(head["id"])
        broken.mkdir()
        (broken / "videos.jsonl").write_text(text, encoding="utf-8")
        (broken / "dataset.json").write_text(json.dumps(head), encoding="utf-8")
        for command in ("show", "stats"):
            done = run("dataset", command, head["id"], "--json", home=self.home)
            self.assertStatus(done, 3)
            self.assertIn(f"author {author}", done.json()["parted"])
            self.assertIn("training refuses", done.err)
        self.assertStatus(run("dataset", "show", dataset, "--json", home=self.home), 0)


if __name__ == "__main__":
    unittest.main()

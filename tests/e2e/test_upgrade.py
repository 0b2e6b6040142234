"""Homes that earlier programs wrote (tests/upgrade) are opened by this one, with all that was in them."""
import json
import pathlib
import shutil
import tarfile
import unittest

import support
from support import ROOT, must, run

SAMPLES = sorted((ROOT / "tests" / "upgrade").glob("*.tar.xz"))


class Upgrade(support.Case):
    def unpack(self, archive):
        with tarfile.open(archive) as packed:
            packed.extractall(self.folder)
        sample, home = self.folder / archive.name.removesuffix(".tar.xz"), self.folder / "home"
        shutil.rmtree(home, ignore_errors=True)
        (home / "index").mkdir(parents=True)
        shutil.move(sample / "catalog.db", home / "catalog.db")
        shutil.move(sample / "index.db", home / "index" / "index.db")
        shutil.move(sample / "datasets", home / "datasets")
        shutil.copytree(sample / "bundle", home / "runs" / "sample" / "bundle")
        return home

    def test_there_is_a_sample(self):
        self.assertTrue(SAMPLES)

    def test_the_catalog_is_migrated_with_every_row(self):
        for archive in SAMPLES:
            with self.subTest(archive.name):
                home = self.unpack(archive)
                rows = self.folder / "rows.jsonl"
                rows.unlink(missing_ok=True)
                counts = must(run("catalog", "export", rows, "--json", home=home)).json()
                self.assertEqual(counts["exported"]["videos"], 30)
                self.assertEqual(counts["left_out"], {"holdings": 1, "feedback": 1})
                posts = [json.loads(line)["post"] for line in rows.read_text(encoding="utf-8").splitlines() if '{"post"' in line]
                self.assertEqual([post["outcome"] for post in posts], ["metadata_only"])

    def test_the_index_is_searched(self):
        for archive in SAMPLES:
            with self.subTest(archive.name):
                found = must(run("search", "#star", "--json", home=self.unpack(archive))).json()
                self.assertGreater(len(found["results"]), 5)

    def test_the_dataset_is_shown(self):
        for archive in SAMPLES:
            with self.subTest(archive.name):
                shown = must(run("dataset", "show", "--json", home=self.unpack(archive))).json()
                self.assertEqual(shown["forgotten"], 1)
                self.assertEqual(sum(shown["videos"].values()), 29)

    def test_the_bundle_tags(self):
        clips = support.make_clips(self.folder / "clips", set="mixed", classes=3, clips_per_class=2, seed=11, seconds=1)
        for archive in SAMPLES:
            with self.subTest(archive.name):
                lines = must(run("tag", *clips, "--model", "sample", "--threshold", "0", "--json",
                                 home=self.unpack(archive))).json_lines()
                self.assertEqual(len(lines), 6)
                for line in lines:  # a clip has five hashtags, its kind among them
                    best = [tag["hashtag"] for tag in line["tags"][:5]]
                    self.assertIn(pathlib.Path(line["video"]).parent.name, best)


if __name__ == "__main__":
    unittest.main()

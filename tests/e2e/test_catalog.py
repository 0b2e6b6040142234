"""The catalog in PostgreSQL through the real program, and moved as files."""
import json
import os
import unittest

import postgres
import support
from support import must, run


class CatalogInPostgres(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = postgres.Server(support.ROOT, "fsync=off")
        cls.addClassCleanup(cls.server.remove)
        cls.server.start()
        support.make_clips(cls.folder / "clips", set="look", classes=2, clips_per_class=3, seconds=0.4, size="64x64")

    def shared(self, database, *arguments, **more):
        self.server.psql("postgres", f"CREATE DATABASE {database}")
        return run("--set", f"catalog.url={self.server.url(database)}", *arguments, "--json", home=self.folder / "home",
                   **{**self.server.environment(), **more})

    def test_import_and_freeze_work_as_on_a_file(self):
        added = must(self.shared("work", "import", self.folder / "clips")).json()
        self.assertEqual((added["added"], added["rejected"]), (6, []))
        self.assertFalse((self.folder / "home" / "catalog.db").exists())
        self.assertEqual(must(self.shared("work", "import", self.folder / "clips")).json()["duplicate"], 6)
        frozen = must(self.shared("work", "dataset", "freeze", "--labels", "single", "--min-support", "1", "--val", "0",
                                  "--test", "0")).json()
        self.assertEqual(frozen["hashtags"], 2)
        self.server.stop()
        gone = self.shared("work", "doctor")
        self.assertStatus(gone, 1)
        self.assertIn("is the server running", gone.out)
        self.server.start()
        must(self.shared("work", "dataset", "vocabulary", "-o", self.folder / "v.txt", "--min-support", "1"))

    def test_a_password_in_the_url_is_never_shown(self):
        url = self.server.url("work").replace("tester@", "tester:SECRET@")
        for command in (["config", "show"], ["doctor"], ["train"]):
            ended = run("--set", f"catalog.url={url}", *command, home=self.folder / "home")
            self.assertStatus(ended, 2)
            self.assertNotIn("SECRET", ended.out + ended.err)
            self.assertIn("PGPASSFILE", ended.err)

    def test_a_wrong_password_says_what_to_do(self):
        ended = self.shared("work", "dataset", "vocabulary", "-o", self.folder / "w.txt", PGPASSWORD="WRONG")
        self.assertStatus(ended, 1)
        error = ended.err_lines()[-1]["error"]
        self.assertEqual(error["code"], "permission_denied")
        self.assertIn("PGPASSFILE", error["message"])

    def test_a_catalog_moves_there_and_back(self):
        home, files = self.folder / "first", self.folder / "files"
        files.mkdir()
        (self.folder / "clips.jsonl").write_text("".join(json.dumps(
            {"file": str(clip.relative_to(self.folder)), "caption": f"clip \U0001F408 {i}", "hashtags": ["B", "a"], "author": "ann"}) + "\n"
            for i, clip in enumerate(sorted((self.folder / "clips").glob("*/*.mp4")))), encoding="utf-8")
        must(run("import", self.folder / "clips.jsonl", home=home))
        out = must(run("catalog", "export", files / "a.jsonl", "--secrets", "--json", home=home)).json()
        self.assertEqual(out["exported"]["videos"], 6)
        self.assertEqual(out["left_out"], {"holdings": 0, "feedback": 0})
        self.assertEqual((files / "a.jsonl.author.salt").read_text(), (home / "author.salt").read_text())
        there = must(self.shared("moved", "catalog", "import", files / "a.jsonl", "--secrets")).json()
        self.assertEqual((there["read"], there["stored"]), (out["exported"], out["exported"]))
        must(self.shared("moved", "catalog", "export", files / "b"))
        self.assertEqual(sorted(path.name for path in (files / "b").iterdir()),
                         ["looks.parquet", "notes.parquet", "posts.parquet", "tombstones.parquet", "videos.parquet"])
        back = self.folder / "back"
        must(run("catalog", "import", files / "b", home=back))
        must(run("catalog", "export", files / "c.jsonl", home=back))
        self.assertEqual((files / "a.jsonl").read_text(encoding="utf-8"), (files / "c.jsonl").read_text(encoding="utf-8"))
        for path in files.rglob("*"):
            self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)
        self.assertStatus(run("catalog", "export", files / "b", home=back), 1)
        # Another home hashes authors with another salt.
        (back / "author.salt").write_text("0" * 64)
        refused = run("catalog", "import", files / "a.jsonl", "--secrets", home=back)
        self.assertStatus(refused, 1)
        self.assertIn("author.salt", refused.err)


if __name__ == "__main__":
    unittest.main()

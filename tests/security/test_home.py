"""What other users of the machine can read: row "other users of the machine" of docs/security.md."""
import os
import pathlib
import tempfile
import unittest

import live
from support import make_clips, run


def mode(path):
    return path.stat().st_mode & 0o7777


class HomeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.place = pathlib.Path(folder.name)
        before = os.umask(0o022)
        self.addCleanup(os.umask, before)

    def test_a_new_home_is_closed(self):
        for number, command in enumerate((["doctor"], ["import", *make_clips(self.place / "clips", classes=1, clips_per_class=1)],
                                          ["models", "list"], ["tokens", "list"])):
            home = self.place / f"home{number}"
            run(*command, home=home)
            self.assertEqual(mode(home), 0o700, command)

    def test_an_open_home_is_closed_and_that_is_said(self):
        home = self.place / "home"
        run("doctor", home=home)
        for open_mode in (0o755, 0o750, 0o701):
            home.chmod(open_mode)
            done = run("models", "list", home=home)
            self.assertEqual(mode(home), 0o700)
            self.assertIn("home_closed", done.err)
        self.assertNotIn("home_closed", run("models", "list", home=home).err)

    def test_a_folder_of_others_is_left_as_it_is(self):
        shared = self.place / "tmp"
        shared.mkdir()
        shared.chmod(0o1777)
        (shared / "store").mkdir()
        other = self.place / "documents"
        other.mkdir()
        for folder in (shared, other):
            before = mode(folder)
            run("models", "list", home=folder)
            self.assertEqual(mode(folder), before)

    def test_doctor_says_so(self):
        home = self.place / "home"
        lines = {line["check"]: line for line in run("doctor", "--json", home=home).json_lines()}
        self.assertTrue(lines["home"]["ok"])
        self.assertIn("closed to other users", lines["home"]["detail"])
        shared = self.place / "tmp"
        shared.mkdir()
        shared.chmod(0o1777)
        lines = {line["check"]: line for line in run("doctor", "--json", home=shared).json_lines()}
        self.assertFalse(lines["home"]["ok"])
        self.assertIn("other users", lines["home"]["detail"])

    def test_visitors_videos_are_closed_wherever_the_store_is(self):
        clips = make_clips(self.place / "clips", classes=1, clips_per_class=1)
        store = self.place / "store"
        with live.Server(self.place / "home", f"store.url={store}") as server:
            server.client(browser=True).tag(clips[0])
        files = [path for folder in (store, self.place / "home") for path in folder.rglob("*") if path.is_file()]
        self.assertTrue(any(path.suffix == ".mp4" for path in files))
        for path in files:
            self.assertEqual(mode(path) & 0o077, 0, path)


if __name__ == "__main__":
    unittest.main()

"""./run demo as a newcomer runs it, on a home that is not there yet (what ./run builds is built already)."""
import json
import re
import subprocess
import sys
import unittest

import support

DEMO = support.ROOT / "tests" / "replica" / "demo.py"


class Demo(support.Case):
    def test_it_goes_from_nothing_to_tags_and_a_search(self):
        home = self.folder / "home"
        done = subprocess.run([sys.executable, str(DEMO), "--home", str(home)], stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, timeout=600, check=False, env=support.environment())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("replica of TikTok on this machine", done.stdout.splitlines()[0])
        journal = json.loads((home / "demo.json").read_text(encoding="utf-8"))
        self.assertEqual([(one["stage"], one["status"]) for one in journal["stages"]],
                         [(name, "done") for name in ("draw", "collect", "dataset", "train", "tag", "search")])
        self.assertLess(sum(one["seconds"] for one in journal["stages"]), 15 * 60)
        right = re.search(r"among the hashtags of (\d+) of 8 clips", done.stdout)
        self.assertGreaterEqual(int(right[1]), 5, done.stdout)
        found = [line for line in done.stdout.splitlines() if "of them without that hashtag typed" in line]
        self.assertTrue(any(" 0 of them" not in line for line in found), "no video was found by what it shows alone")


if __name__ == "__main__":
    unittest.main()

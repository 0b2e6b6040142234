"""A small MViT learns what only motion tells: classes of make_clips that no single frame separates."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import support
from support import ONE_CORE, must, run

CLIPS_PER_CLASS = 160
WANT_TOP1 = 0.90


class Motion(support.Case):
    def test_the_motion_recipe_tells_the_ten_motions_apart_on_unseen_clips(self):
        home, clips = self.folder / "home", self.folder / "clips"
        # A group has one clip of each class with the same shape, place and background, so that nothing but the motion
        # differs inside it; the split keeps whole groups apart.
        support.make_clips(clips, set="motion", clips_per_class=CLIPS_PER_CLASS, seconds=1.2, fps=10, size="64x64")
        must(run("import", clips, "--json", home=home))
        dataset = must(run("dataset", "freeze", "--labels", "single", "--val", "15", "--test", "0", "--json",
                           home=home)).json()
        self.assertEqual(dataset["hashtags"], 10)
        self.assertGreater(dataset["videos"]["val"], 150)
        must(run("train", "--recipe", support.ROOT / "configs" / "small" / "MVITv2_motion.yaml", "--run", "motion",
                 *ONE_CORE, "--json", home=home, timeout=1500))
        result = must(run("evaluate", "--run", "motion", "--split", "val", "--json", home=home)).json()
        self.assertEqual(result["videos"], dataset["videos"]["val"])
        self.assertGreater(result["top1"], WANT_TOP1, result)


if __name__ == "__main__":
    unittest.main()

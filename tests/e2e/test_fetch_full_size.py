"""`models fetch` at full size: MViTv2-S's weights by the closed form, cut on the way, give the reference's logits."""
import json
import os
import pathlib
import subprocess
import unittest

import support
from support import must, run
from weights_site import ALLOW, Site

SHARED = os.environ.get("REELTAG_SHARED")
GOLDEN_MODEL = support.PROGRAM.with_name("golden_model")
NAME, RECIPE = "mvitv2-s-16x4-k400", "Kinetics/MVITv2_S_16x4"
TOLERANCE = 2e-5  # float32 against the reference, for logits of unit deviation


def golden_model(*words):
    done = subprocess.run([str(GOLDEN_MODEL), *map(str, words)], capture_output=True, text=True, timeout=600, check=True,
                          env=support.environment())
    return done.stdout


class FullSize(support.Case):
    @unittest.skipUnless(SHARED, "needs the reference's vectors (REELTAG_SHARED)")
    def test_the_kinetics_model_gives_the_references_logits_and_tags(self):
        golden = json.loads((pathlib.Path(SHARED) / "goldens" / "full_Kinetics_MVITv2_S_16x4.json").read_text(encoding="utf-8"))
        file = self.folder / "MViTv2_S.pyth"
        golden_model("write", RECIPE, file)
        with Site() as site:
            site.files["/MViTv2_S.pyth"] = content = file.read_bytes()
            fetch = ["models", "fetch", NAME, "--url", site.url("MViTv2_S.pyth"), *ALLOW, "--json"]
            site.cut = 90_000_000
            self.assertStatus(run(*fetch, home=self.folder), 1)
            site.cut = None
            result = must(run(*fetch, home=self.folder)).json()
            self.assertEqual((result["bytes"], result["resumed"]), (len(content), 90_000_000))
            self.assertEqual(site.sent, len(content))
        self.assertEqual(result["counts"]["missing"] + result["counts"]["resampled"] + result["counts"]["unused"], 0)

        logits = json.loads(golden_model("logits", result["folder"]))
        self.assertEqual(len(logits), len(golden["logits"]))
        self.assertLess(max(abs(got - want) for got, want in zip(logits, golden["logits"])), TOLERANCE)

        (clip,) = support.make_clips(self.folder / "clip", set="look", classes=1, clips_per_class=1, seconds=1,
                                     size="128x128")
        tag = ["tag", "--model", NAME, "--threshold", "0", "--views", "1", "--json", clip]
        names = (support.ROOT / "configs" / "vocabulary" / "kinetics400.txt").read_text(encoding="utf-8").splitlines()
        hashtags = {"".join(c for c in name if c.isalnum()).lower() for name in names}
        tags = must(run(*tag, home=self.folder)).json()["tags"]
        self.assertTrue(tags)
        self.assertLessEqual({tag["hashtag"] for tag in tags}, hashtags)


if __name__ == "__main__":
    unittest.main()

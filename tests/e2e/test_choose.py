"""`reeltag models choose`: two small nets measured on this machine, runs of them, limits, and what is kept."""
import json
import shutil
import unittest

import support
from support import ROOT, must, run

NETS = ("small/MVITv2_motion", "small/MVITv2_XXS_8")
ONLY = [word for net in NETS for word in ("--net", net)]
ONE_THREAD = ["--set", "train.threads=1"]


def add_run(home, name, recipe, top1):
    """A run as `train` and `evaluate` leave it, as far as choose looks at it."""
    folder = home / "runs" / name
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "configs" / f"{recipe}.yaml", folder / "recipe.yaml")
    metrics = {"dataset": "0123456789abcdef", "split": "val", "top1": top1, "top5": 0.9, "videos": 70}
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")


class Choose(support.Case):
    """The tests share a home: what the first one measured, the others find."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        add_run(cls.folder, "fast", NETS[0], 0.5)
        add_run(cls.folder, "good", NETS[1], 0.625)
        cls.measured = must(run("models", "choose", *ONLY, *ONE_THREAD, "--json", home=cls.folder))
        cls.answer = cls.measured.json()

    def choose(self, *arguments):
        return run("models", "choose", *ONLY, *ONE_THREAD, *arguments, home=self.folder)

    def net(self, name):
        return next(net for net in self.answer["nets"] if net["net"] == name)

    def test_each_net_is_measured_and_described(self):
        self.assertEqual({net["net"] for net in self.answer["nets"]}, set(NETS))
        for net in self.answer["nets"]:
            self.assertIs(net["measured"], True, net)
            self.assertTrue(0.1 < net["ms_per_view"] < 60_000, net)
            self.assertEqual(net["ms_per_video"], 5 * net["ms_per_view"])
            self.assertTrue(5e7 < net["peak_memory_bytes"] < 4e9, net)
            self.assertIsNone(net["published"])
        self.assertEqual(self.net(NETS[0])["parameters"], 321_002)
        self.assertLess(self.net(NETS[0])["ms_per_view"], self.net(NETS[1])["ms_per_view"])
        self.assertEqual(self.answer["machine"]["threads"], 1)
        self.assertEqual(self.answer["views"], 5)

    def test_own_runs_make_a_front_and_a_pick(self):
        (front,) = self.answer["fronts"]
        self.assertEqual(front["training_set"], "0123456789abcdef (val)")
        self.assertEqual([(point["net"], point["top1"], point["source"], point["on_front"]) for point in front["nets"]],
                         [(NETS[0], 0.5, "fast", True), (NETS[1], 0.625, "good", True)])
        self.assertEqual(self.answer["pick"], {"net": NETS[1], "training_set": front["training_set"]})
        self.assertIn("62.5 % top-1", self.answer["why"])

    def test_a_second_call_answers_from_what_was_kept(self):
        kept = json.loads((self.folder / "choose" / "measured.json").read_text(encoding="utf-8"))
        self.assertEqual([row["net"] for row in kept["measured"]], list(NETS))  # in rising order of multiply-adds
        again = must(self.choose("--json")).json()
        self.assertEqual(again["nets"], self.answer["nets"])
        other_threads = must(run("models", "choose", "--net", NETS[0], "--set", "train.threads=2", "--json",
                                 home=self.folder)).json()
        self.assertEqual(other_threads["machine"]["threads"], 2)
        kept = json.loads((self.folder / "choose" / "measured.json").read_text(encoding="utf-8"))
        self.assertEqual(len(kept["measured"]), 3)

    def test_limits_move_the_pick_and_where_nothing_fits_say_so(self):
        fast, good = (self.net(name)["ms_per_view"] for name in NETS)
        between = must(self.choose("--ms-per-video", str(fast + good), "--views", "2", "--json")).json()
        self.assertEqual(between["pick"]["net"], NETS[0])
        self.assertIn(f"the next better one, {NETS[1]}", between["why"])

        done = self.choose("--ms-per-video", "0.001", "--memory", "100", "--json")
        self.assertStatus(done, 1)
        self.assertIsNone(done.json()["pick"])
        self.assertIn("--ms-per-video 0.001 is the tightest limit", done.json()["why"])
        self.assertIn(f"the nearest net, {NETS[0]}, needs", done.json()["why"])
        done = self.choose("--memory", "0.01")
        self.assertStatus(done, 1)
        self.assertIn("--memory 0.01 is the tightest limit", done.out)

    def test_people_get_a_table_and_a_report(self):
        out = self.folder / "out"
        done = must(self.choose("--out", out))
        (good,) = [line for line in done.out.splitlines() if line.startswith(">") and "/" in line]
        self.assertIn(NETS[1], good)
        self.assertIn("1.46 M", good)
        self.assertIn("62.5 %", good)
        self.assertIn(f"report: {out / 'report.html'}", done.out)
        html = (out / "report.html").read_text(encoding="utf-8")
        self.assertTrue((self.folder / "choose" / "report.html").is_file())  # of the calls without --out
        for part in ("<svg", "<tr class=\"pick\">", NETS[0], NETS[1], "62.5 % top-1"):
            self.assertIn(part, html)
        self.assertNotIn("http", html)

    def test_what_is_no_classifier_is_left_out_by_name(self):
        masked = "masked_ssl/k400_VIT_B_16x4_MAE_PT"
        answer = must(self.choose("--net", masked, "--json")).json()
        self.assertEqual([out["net"] for out in answer["left_out"]], [masked])
        self.assertIn("pre-training", answer["left_out"][0]["reason"])

    def test_unknown_names_get_the_nearest_and_status_2(self):
        for arguments, near in ((["--net", "small/MVITv2_XSX_8"], "small/MVITv2_XXS_8"),
                                (["--dataset", "kinetic"], "kinetics")):
            with self.subTest(arguments=arguments):
                done = run("models", "choose", *arguments, home=self.folder)
                self.assertStatus(done, 2)
                self.assertEqual(done.out, "")
                self.assertIn(f"did you mean {near}?", done.err)
        for wrong in (["--views", "0"], ["--memory", "-1"], ["--ms-per-video", "0"]):
            with self.subTest(wrong=wrong):
                self.assertStatus(run("models", "choose", *wrong, home=self.folder), 2)


if __name__ == "__main__":
    unittest.main()

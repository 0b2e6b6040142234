"""bench/coldstart: its folds, its figures and their intervals. Its runs are in test_coldstart_runs.py."""
import math
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "coldstart"))
import histogram  # noqa: E402
import measures  # noqa: E402
import process  # noqa: E402
import protocol  # noqa: E402
from measures import Sample  # noqa: E402

ACTIONS = protocol.TASKS["actions15"]

def sides(seed, fold, groups):
    return {group: protocol.side_of(group, seed, fold) for group in groups}


class Protocol(unittest.TestCase):
    groups = [f"group{i}" for i in range(1000)]

    def test_every_group_is_tested_by_exactly_one_fold(self):
        for seed in protocol.SEEDS:
            tested = [group for fold in protocol.FOLDS for group, side in sides(seed, fold, self.groups).items()
                      if side == "test"]
            self.assertEqual(sorted(tested), sorted(self.groups))

    def test_shares_are_as_asked_and_seeds_deal_anew(self):
        first = sides(0, 0, self.groups)
        for side, share in (("train", 0.7), ("val", 0.1), ("test", 0.2)):
            self.assertAlmostEqual(list(first.values()).count(side) / 1000, share, delta=0.05)
        self.assertNotEqual(first, sides(1, 0, self.groups))

    def test_the_rule_is_the_programs(self):
        # The cases of stages/dataset/dataset_test.cpp.
        for salt, group, bucket in (("val", "a", 19), ("val", "f62f55209f", 90), ("reeltag", "", 97),
                                    ("", "Vi\u1ec7t", 18)):
            self.assertEqual(protocol.bucket_of(salt, group), bucket)
        bucket = protocol.bucket_of("coldstart-2", "g")
        for fold in protocol.FOLDS:
            turned = (bucket + 20 * fold) % 100
            side = "val" if turned < 10 else "test" if turned >= 80 else "train"
            self.assertEqual(protocol.side_of("g", 2, fold), side)

    def test_a_class_is_the_first_hashtag_and_hashtags_are_all_that_are_frequent(self):
        entries = [{"hashtags": ["b", "w"]}] * 3 + [{"hashtags": ["a", "b", "b"]}] * 3 + [{"hashtags": ["c", "w"]}]
        single, multi = ACTIONS, protocol.TASKS["hashtags70"]._replace(min_support=4)
        self.assertEqual(protocol.vocabulary_of(single, entries), ("a", "b", "c"))
        self.assertEqual(protocol.vocabulary_of(multi, entries), ("b", "w"))
        self.assertEqual(protocol.labels_of(single, ["a", "b"], {"a": 1, "b": 0}), (1,))
        self.assertEqual(protocol.labels_of(multi, ["w", "x", "b", "w"], {"b": 0, "w": 1}), (0, 1))


class Definitions(unittest.TestCase):
    """The examples of stages/evaluate/metrics_test.cpp."""

    def figures(self, *samples):
        samples = [Sample("g", tuple(labels), tuple(scores)) for scores, labels in samples]
        return measures.figures(samples, len(samples[0].scores))

    def test_mean_ap_equals_the_reference(self):
        found = self.figures(([0.88202441, 0.91201580, 0.16340852, 0.21711493, 0.41185403], [2]),
                             ([0.21954894, 0.76121652, 0.15750492, 0.74109149, 0.00459909], [1]),
                             ([0.98141849, 0.97540104, 0.76066732, 0.10142982, 0.02873671], [0, 2]),
                             ([0.33531022, 0.37342811, 0.33672798, 0.76107562, 0.23294902], [0, 4]),
                             ([0.47500670, 0.63871837, 0.68426883, 0.44079900, 0.67122030], [1, 4]),
                             ([0.43112922, 0.95140815, 0.48254848, 0.50376761, 0.48260784], [2, 4]),
                             ([0.78895569, 0.80307412, 0.32912230, 0.78268111, 0.84877586], [0]),
                             ([0.95431435, 0.52748346, 0.88840902, 0.60091794, 0.80853808], [1]))
        self.assertAlmostEqual(found["map"], 0.471031746031746, delta=1e-12)

    def test_top1_of_one_label(self):
        scores = [.6, .5, .4, .3, .2, .1]
        self.assertEqual(self.figures((scores, [0]), (scores, [4]), (scores, [5]))["top1"], 1 / 3)

    def test_equal_scores_stand_in_the_order_of_classes_and_videos(self):
        found = self.figures(([.5, .5], [0]), ([.5, .5], [1]))
        self.assertEqual((found["top1"], found["map"]), (0.5, (1.0 + 0.5) / 2))

    def test_videos_without_a_label_are_misses_for_hit1_but_not_for_top1(self):
        found = self.figures(([.9, .1, .2], [0, 2]), ([.9, .1, .2], []))
        self.assertEqual((found["top1"], found["hit1"]), (1.0, 0.5))

    def test_gap_pools_the_best_twenty_of_a_video_over_all_positives(self):
        self.assertEqual(self.figures(([.9, .8], [0]), ([.1, .7], [1]))["gap20"], (1.0 + 2 / 3) / 2)
        scores = [1.0 - 0.01 * c for c in range(22)]
        self.assertEqual(self.figures((scores, [0, 20]))["gap20"], 0.5)

    def test_nothing_labelled_is_no_number(self):
        self.assertEqual(self.figures(([.9, .1], []), ([.2, .1], [])),
                         {"top1": None, "map": None, "hit1": 0.0, "gap20": None})

    def test_refuses_what_contradicts_itself(self):
        for scores, labels in (([.1], []), ([.1, .2], [2]), ([.1, .2], [-1]), ([.1, .2], [1, 0]), ([.1, .2], [0, 0]),
                               ([math.nan, .2], [0])):
            with self.subTest(scores=scores, labels=labels), self.assertRaises(ValueError):
                measures.Pool([Sample("g", tuple(labels), tuple(scores))], 2)


def random_samples(count, classes, seed=0):
    numbers = random.Random(seed)
    return [Sample(f"g{i // 2}", tuple(sorted(numbers.sample(range(classes), numbers.randint(0, 3)))),
                   tuple(numbers.random() for _ in range(classes))) for i in range(count)]


class Intervals(unittest.TestCase):
    names = ("top1", "map", "hit1", "gap20")

    def boot(self, pools, groups, names=names, resamples=200):
        return measures.Bootstrap(pools, groups, names, resamples)

    def test_a_weight_is_that_many_copies(self):
        samples = random_samples(12, 25)
        weights = [random.Random(i).randint(0, 3) for i in range(12)]
        copies = [sample for sample, weight in zip(samples, weights) for _ in range(weight)]
        pool, copied = measures.Pool(samples, 25), measures.Pool(copies, 25)
        for name in self.names:
            self.assertAlmostEqual(pool.figure(name, weights), copied.figure(name), delta=1e-12)

    def test_identical_rows_differ_by_nothing(self):
        samples = random_samples(40, 6)
        pool, groups = measures.Pool(samples, 6), [sample.group for sample in samples]
        boot = self.boot({("a", 0): pool, ("b", 0): pool}, groups)
        for name in self.names:
            self.assertEqual(boot.difference("a", "b", name), (0.0, 0.0, 0.0))
            figure = boot.figure("a", name)
            self.assertLess(figure.low, figure.high)
            self.assertTrue(figure.low <= figure.value <= figure.high)

    def half_right(self, per_group, always=0):
        """200 videos, the first `always` right for sure; of the others every second group."""
        return [Sample(f"g{i // per_group}", (0,), (.9, .5) if i < always or i // per_group % 2 == 0 else (.1, .5))
                for i in range(200)]

    def test_the_interval_of_a_share_is_the_binomial_one_of_its_groups(self):
        # A bound of the interval is a whole number of groups, so two of them are as near as it must come.
        for per_group, groups in ((1, 200), (10, 20)):
            samples = self.half_right(per_group)
            figure = self.boot({("a", 0): measures.Pool(samples, 2)}, [s.group for s in samples], ("top1",), 2000)
            top1 = figure.figure("a", "top1")
            self.assertAlmostEqual(top1.high - top1.low, 2 * 1.96 * math.sqrt(0.25 / groups), delta=2 / groups)

    def test_rows_are_compared_on_the_same_resamples(self):
        # The better row is right wherever the other is: in no resample can it be worse.
        worse, better = self.half_right(1), self.half_right(1, always=20)
        boot = self.boot({("a", 0): measures.Pool(better, 2), ("b", 0): measures.Pool(worse, 2)},
                         [sample.group for sample in worse], ("top1",))
        difference = boot.difference("a", "b", "top1")
        self.assertAlmostEqual(difference.value, 0.05)
        self.assertGreater(difference.low, 0.0)
        self.assertLess(difference.high - difference.low, boot.figure("a", "top1").high - boot.figure("a", "top1").low)

    def test_a_row_is_the_mean_of_its_seeds_and_a_pair_that_of_common_ones(self):
        right, half = measures.Pool(self.half_right(1, always=200), 2), measures.Pool(self.half_right(1), 2)
        boot = self.boot({("a", 0): right, ("a", 1): half, ("b", 1): half}, [f"g{i}" for i in range(200)], ("top1",))
        self.assertEqual(boot.figure("a", "top1").value, 0.75)
        self.assertEqual(boot.difference("a", "b", "top1"), (0.0, 0.0, 0.0))
        self.assertIsNone(boot.figure("c", "top1"))
        self.assertIsNone(boot.difference("a", "c", "top1"))

    def test_they_are_the_same_in_every_run(self):
        samples = random_samples(30, 5)
        groups = [sample.group for sample in samples]
        first, second = (self.boot({("a", 0): measures.Pool(samples, 5)}, groups).figure("a", "map") for _ in range(2))
        self.assertEqual(first, second)

    def test_other_videos_are_refused(self):
        with self.assertRaises(ValueError):
            self.boot({("a", 0): measures.Pool(random_samples(4, 3), 3)}, ["g"] * 5)


class Histogram(unittest.TestCase):
    def test_a_red_clip_is_one_box(self):
        with tempfile.TemporaryDirectory(prefix="coldstart-") as folder:
            clip = pathlib.Path(folder) / "red.mp4"
            subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "color=red:size=64x48:rate=5:d=3",
                            clip], check=True)
            found = histogram.describe(clip)
        self.assertEqual((len(found["clip"]), sum(found["clip"]), sum(found["frame"])),
                         (512, 8 * 32 * 32, 32 * 32))
        self.assertEqual([box for box, count in enumerate(found["clip"]) if count], [7 * 64])

    def test_frames_are_the_middles_of_equal_parts_however_few_there_are(self):
        self.assertEqual(histogram.middle_of_each_part(80, 8), [5, 15, 25, 35, 45, 55, 65, 75])
        self.assertEqual(histogram.middle_of_each_part(1, 8), [0] * 8)

    def test_scores_of_one_class_are_shares_and_those_of_hashtags_are_not(self):
        model = {"labels": "single", "priors": [0.0, 0.0, 0.0], "classes": [0, 2], "weights": [[0.0], [1.0]],
                 "biases": [0.0, 0.0]}
        scores = histogram.scores_of(model, [math.log(3.0)])
        for found, expected in zip(scores, [0.25, 0.0, 0.75]):
            self.assertAlmostEqual(found, expected)
        scores = histogram.scores_of(model | {"labels": "multi", "priors": [0.0, 0.1, 0.0]}, [math.log(3.0)])
        for found, expected in zip(scores, [0.5, 0.1, 0.75]):
            self.assertAlmostEqual(found, expected)


class Commands(unittest.TestCase):
    def test_cpu_time_includes_what_the_command_started(self):
        burn = "import time\nwhile time.process_time() < 0.3: pass"
        outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); print('done')"
        with tempfile.TemporaryDirectory(prefix="coldstart-") as folder:
            ran = process.run([sys.executable, "-c", outer], pathlib.Path(folder) / "log")
        self.assertGreaterEqual(ran.cpu_seconds, 0.3)
        self.assertEqual(ran.output, "done\n")

    def test_a_failure_says_what_ran_and_why(self):
        with tempfile.TemporaryDirectory(prefix="coldstart-") as folder:
            with self.assertRaises(process.Failed) as failure:
                process.run(["sh", "-c", "echo no luck >&2; exit 4"], pathlib.Path(folder) / "log")
            with self.assertRaises(protocol.Refused):
                process.run([f"{folder}/absent"], pathlib.Path(folder) / "log")
        self.assertRegex(str(failure.exception), r"^sh -c .* ended with status 4\nno luck$")

    def test_places_of_this_machine_are_shown_by_name(self):
        names = {"/a/home": "HOME", "/a/home/data": "DATA", "/a/reeltag": "reeltag"}
        command = ["/a/reeltag", "--home", "/a/home/actions", "import", "/a/home/data/actions", "/a/homely", 5]
        self.assertEqual(process.shown(command, names), "reeltag --home HOME/actions import DATA/actions /a/homely 5")


if __name__ == "__main__":
    unittest.main()

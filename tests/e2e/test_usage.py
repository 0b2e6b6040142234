"""What the program says about wrong usage and configuration; where global options may stand; how fast it starts."""
import statistics
import subprocess
import time
import unittest

import support
from support import must, run

START_SECONDS = 0.5


class Usage(support.Case):
    def test_wrong_usage_ends_with_2_and_says_what_is_wrong(self):
        for arguments, word in (([], "subcommand"), (["frobnicate"], "subcommand"), (["tag"], "files"),
                                (["tag", "--no-such", "a.mp4"], "--no-such"), (["import"], "paths"),
                                (["tag", "a.mp4", "--threshold", "2"], "--threshold"),
                                (["tag", "a.mp4", "--top", "many"], "--top"),
                                (["dataset"], "subcommand"), (["dataset", "freeze", "--labels", "none"], "--labels"),
                                (["evaluate", "--split", "exam"], "--split"), (["models", "describe"], "recipe"),
                                (["models", "verify", "no-such.json"], "no-such.json")):
            with self.subTest(arguments=arguments):
                done = run(*arguments, home=self.folder)
                self.assertStatus(done, 2)
                self.assertEqual(done.out, "")
                self.assertIn(word, done.err)

    def test_names_of_runs_do_not_lead_out_of_the_home(self):
        for command in (["train", "--run", "../../x"], ["train", "--run", "/tmp/x"], ["train", "--resume", ".."],
                        ["evaluate", "--run", "../x"]):
            with self.subTest(command=command):
                done = run(*command, home=self.folder)
                self.assertStatus(done, 2)
                self.assertIn("cannot be a run's name", done.err)

    def test_a_resumed_run_keeps_what_it_began_with(self):
        for option in (["--recipe", "MVITv2_XXS_8"], ["--dataset", "x"], ["--from", "starter"]):
            with self.subTest(option=option):
                done = run("train", "--resume", "r", *option, home=self.folder)
                self.assertStatus(done, 2)
                self.assertIn(option[0], done.err)

    def test_a_mistyped_name_comes_with_the_nearest(self):
        for arguments, near in ((["taag", "a.mp4"], "tag"), (["dataset", "freze"], "freeze"), (["models", "fetsh"], "fetch"),
                                (["tag", "a.mp4", "--thresold", "0.5"], "--threshold"), (["tag", "--jsn", "a.mp4"], "--json")):
            for json in ([], ["--json"]):
                with self.subTest(arguments=arguments, json=json):
                    done = run(*arguments, *json, home=self.folder)
                    self.assertStatus(done, 2)
                    self.assertIn(f"Did you mean {near}?", done.err)

    def test_top_and_views_of_nothing_are_wrong_usage(self):
        for option in ("--top", "--views"):
            with self.subTest(option=option):
                self.assertStatus(run("tag", "a.mp4", option, "0", home=self.folder), 2)

    def test_help_and_version_are_results(self):
        for arguments in (["--help"], ["tag", "--help"], ["dataset", "freeze", "--help"]):
            with self.subTest(arguments=arguments):
                self.assertIn("Usage: reeltag", must(run(*arguments)).out)
        self.assertRegex(must(run("--version")).out, r"^reeltag \d+\.\d+\.\d+\n$")

    def test_an_unknown_key_in_the_file_is_named_with_its_line_and_the_nearest(self):
        file = self.folder / "wrong.yaml"
        file.write_text("# settings\nmedia:\n  max_bytes: 1000000\ntrain:\n  threds: 2\n", encoding="utf-8")
        done = run("--config", file, "config", "show", "--json", home=self.folder)
        self.assertStatus(done, 2)
        self.assertEqual(done.out, "")
        error = done.errors()[None]
        self.assertEqual(error["code"], "invalid_config")
        self.assertIn("wrong.yaml:5", error["message"])
        self.assertIn("train.threds", error["message"])
        self.assertIn("train.threads", error["message"])

    def test_the_file_of_the_home_is_read_and_checked_too(self):
        home = self.folder / "configured"
        home.mkdir()
        (home / "config.yaml").write_text("tag:\n  top: 3\n", encoding="utf-8")
        entries = {e["key"]: e for e in must(run("config", "show", "--json", home=home)).json_lines()}
        self.assertEqual(entries["tag.top"]["value"], "3")
        self.assertIn("config.yaml", entries["tag.top"]["origin"])
        (home / "config.yaml").write_text("tag:\n  top: 3\n  tpo: 4\n", encoding="utf-8")
        done = run("doctor", home=home)
        self.assertStatus(done, 2)
        self.assertIn("config.yaml:3", done.err)

    def test_a_bad_assignment_ends_with_2(self):
        for assignment, words in (("media.max_byts=3", ["media.max_byts", "media.max_bytes"]),
                                  ("mumble", ["mumble", "key=value"]),
                                  ("train.threads=many", ["train.threads", "many"]),
                                  ("train.threads=-1", ["train.threads", "-1"]),
                                  ("train.device=toaster", ["train.device", "toaster"])):
            with self.subTest(assignment=assignment):
                done = run("--set", assignment, "config", "show", home=self.folder)
                self.assertStatus(done, 2)
                self.assertEqual(done.out, "")
                for word in words:
                    self.assertIn(word, done.err)

    def test_global_options_stand_before_or_after_the_command(self):
        before = must(run("--home", self.folder, "--set", "tag.top=4", "--json", "config", "show"))
        after = must(run("config", "show", "--json", "--set", "tag.top=4", "--home", self.folder))
        between = must(run("--json", "config", "--home", self.folder, "show", "--set", "tag.top=4"))
        self.assertEqual(before.json_lines(), after.json_lines())
        self.assertEqual(before.json_lines(), between.json_lines())
        self.assertEqual({e["key"]: e["value"] for e in before.json_lines()}["tag.top"], "4")

    def test_config_show_gives_every_key_with_meaning_and_origin(self):
        entries = must(run("config", "show", "--json", "--set", "train.cache_gb=0.5", home=self.folder)).json_lines()
        for entry in entries:
            self.assertEqual(set(entry), {"key", "value", "meaning", "origin"})
            self.assertTrue(entry["meaning"], entry)
        found = {entry["key"]: entry for entry in entries}
        self.assertLessEqual({"store.url", "catalog.url", "media.max_bytes", "train.threads", "tag.top"}, set(found))
        self.assertEqual((found["train.cache_gb"]["value"], found["train.cache_gb"]["origin"]), ("0.5", "--set"))
        self.assertEqual(found["tag.top"]["origin"], "default")

    def test_store_and_catalog_can_lie_elsewhere(self):
        places = {"store": self.folder / "other-store", "catalog": self.folder / "other.db"}
        file = self.folder / "places.yaml"
        file.write_text("".join(f"{name}:\n  url: {place}\n" for name, place in places.items()), encoding="utf-8")
        sets = [word for name, place in places.items() for word in ("--set", f"{name}.url={place}")]
        for options in (["--config", file], sets):
            done = run("doctor", "--json", *options, home=self.folder / "home-of-places")
            details = {line["check"]: line["detail"] for line in done.json_lines()}
            self.assertIn(str(places["store"]), details["store"])
            self.assertTrue(places["catalog"].exists())
            places["catalog"].unlink()
        self.assertFalse((self.folder / "home-of-places" / "catalog.db").exists())

    def test_doctor_lists_what_it_looked_at(self):
        done = run("doctor", "--json", home=self.folder / "new-home")
        checks = {line["check"]: line for line in done.json_lines()}
        for name in ("home", "store", "catalog", "recipes", "processors"):
            self.assertIs(checks[name]["ok"], True, done)
        # Something missing is not hidden behind a status of 0.
        self.assertEqual(done.status, 0 if all(line["ok"] or line.get("optional") for line in checks.values()) else 1, done)
        self.assertIn("0 videos", checks["catalog"]["detail"])

    def test_a_result_that_cannot_be_written_is_not_a_success(self):
        for arguments in (["config", "show"], ["models", "describe", "MVITv2_XXS_8", "--json"]):
            with self.subTest(arguments=arguments), open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([support.PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True,
                                      check=False, env=support.environment(REELTAG_HOME=str(self.folder)))
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertTrue(done.stderr)

    def test_commands_without_a_model_start_fast(self):
        home = self.folder / "fast-home"
        run("doctor", home=home)  # makes the catalog: the first use of a home may take longer
        for arguments in (["--version"], ["--help"], ["config", "show"], ["dataset", "list"], ["doctor"],
                          ["models", "describe", "MVITv2_XXS_8"]):
            with self.subTest(arguments=arguments):
                seconds = []
                for _ in range(5):
                    begin = time.monotonic()
                    run(*arguments, home=home)
                    seconds.append(time.monotonic() - begin)
                self.assertLess(statistics.median(seconds), START_SECONDS, seconds)


if __name__ == "__main__":
    unittest.main()

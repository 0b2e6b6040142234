"""The test driver must see every failure: of a test, of a whole executable, of time running out."""
import pathlib
import sys
import tempfile
import textwrap
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import harness  # noqa: E402

# Stands for a GoogleTest 1.12 executable: prints and writes what one does.
GTEST = """
#!/usr/bin/env python3
import json, os, signal, sys
target = next(a.split("json:")[1] for a in sys.argv if a.startswith("--gtest_output"))
print("[ RUN      ] A.Pass\\n[       OK ] A.Pass (0 ms)")
print("[ RUN      ] A.Fail\\nsome output\\na.cpp:3: Failure\\nwhy\\n[  FAILED  ] A.Fail (0 ms)")
print("[ RUN      ] A.Skip\\na.cpp:4: Skipped\\nneeds data\\n[  SKIPPED ] A.Skip (0 ms)", flush=True)
tests = [{"name": "Pass", "status": "RUN", "result": "COMPLETED"},
         {"name": "Fail", "status": "RUN", "result": "COMPLETED", "failures": [{"failure": "why"}]},
         {"name": "Skip", "status": "RUN", "result": "SKIPPED"},
         {"name": "Filtered", "status": "NOTRUN", "result": "SUPPRESSED"}]
kept = [t for t in tests if t["name"] in os.environ["KEEP"].split(",")]
if os.environ.get("CRASH"):
    os.kill(os.getpid(), signal.SIGSEGV)
json.dump({"testsuites": [{"name": "A", "testsuite": kept}]}, open(target, "w"))
sys.exit(1 if "Fail" in os.environ["KEEP"] or os.environ.get("LATE") else 0)
"""

UNITTEST = """
import unittest
class T(unittest.TestCase):
    def test_pass(self): pass
    def test_fail(self): self.assertEqual(1, 2)
    def test_error(self): raise RuntimeError("boom")
    @unittest.skip("needs data")
    def test_skip(self): pass
    def test_parts(self):
        for i in range(3):
            with self.subTest(i=i): self.assertEqual(i, 0)
"""


class Harness(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="reeltag-harness-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.runner = harness.Runner(self.folder, self.folder / "logs", 60, {})

    def script(self, name, text):
        path = self.folder / name
        path.write_text(textwrap.dedent(text).lstrip())
        path.chmod(0o755)
        return path

    def gtest(self, **environment):
        return harness.run_gtest(self.runner, self.script("a_test", GTEST), "a.log", None, environment)

    def test_gtest_outcomes_come_with_output_and_reason(self):
        outcomes = {o.name: (o.status, o.detail) for o in self.gtest(KEEP="Pass,Fail,Skip,Filtered")}
        self.assertEqual(outcomes["a_test A.Pass"], ("passed", ""))
        self.assertEqual(outcomes["a_test A.Fail"], ("failed", "some output\na.cpp:3: Failure\nwhy\n"))
        self.assertEqual(outcomes["a_test A.Skip"], ("skipped", "needs data"))
        self.assertEqual(len(outcomes), 3)

    def test_a_crash_is_a_failure(self):
        outcomes = self.gtest(KEEP="Pass", CRASH="1")
        self.assertEqual([o.status for o in outcomes], ["failed"])
        self.assertIn("ended with status -11", outcomes[0].detail)

    def test_a_failure_after_the_last_test_is_a_failure(self):
        self.assertEqual([o.status for o in self.gtest(KEEP="Pass", LATE="1")], ["passed", "failed"])

    def test_an_executable_without_tests_is_a_failure(self):
        self.assertEqual([o.status for o in self.gtest(KEEP="none")], ["failed"])

    def test_unittest_outcomes(self):
        outcomes = harness.run_unittest(self.runner, self.script("test_t.py", UNITTEST), "t.log")
        by_name = {o.name.split()[-1]: o for o in outcomes}
        self.assertEqual({name: o.status for name, o in by_name.items()},
                         {"T.test_pass": "passed", "T.test_fail": "failed", "T.test_error": "failed",
                          "T.test_skip": "skipped", "T.test_parts": "failed"})
        self.assertEqual(by_name["T.test_skip"].detail, "needs data")
        self.assertIn("boom", by_name["T.test_error"].detail)

    def test_a_python_file_that_does_not_load_or_is_empty_fails(self):
        for text in ("import no_such_module\n", "x = 1\n"):
            with self.subTest(text=text):
                outcomes = harness.run_unittest(self.runner, self.script("test_u.py", text), "u.log")
                self.assertEqual([o.status for o in outcomes], ["failed"])

    def test_time_out_kills_the_whole_group(self):
        marker = self.folder / "alive"
        script = self.script("slow.sh", f"#!/bin/sh\n(sleep 2; touch {marker}) &\nsleep 60\n")
        status, output = self.runner.run([script], "slow.log", limit_seconds=0.3)
        self.assertIsNone(status)
        self.assertIn("killed after", output)
        time.sleep(2.5)
        self.assertFalse(marker.exists())

    def test_the_end_of_the_run_stops_it(self):
        runner = harness.Runner(self.folder, self.folder / "logs", 0.2, {})
        with self.assertRaises(harness.OutOfTime):
            runner.run(["sleep", "30"], "sleep.log")

    def test_an_interrupted_run_does_not_wait_for_what_is_running(self):
        threading.Timer(0.3, self.runner.kill_all).start()
        start = time.monotonic()
        status, _ = self.runner.run(["sleep", "30"], "sleep.log")
        self.assertNotEqual(status, 0)
        self.assertLess(time.monotonic() - start, 20)

    def test_skips_count_as_failures_where_the_data_is_present(self):
        for skip_fails, line in ((False, "1 passed, 0 failed, 1 skipped"), (True, "1 passed, 1 failed, 0 skipped")):
            report = harness.Report(skip_fails)
            report.add("unit", [harness.Outcome("a", "passed"), harness.Outcome("b", "skipped", "needs data")])
            self.assertEqual(report.last_line(), line)


if __name__ == "__main__":
    unittest.main()

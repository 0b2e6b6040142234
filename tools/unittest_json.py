#!/usr/bin/env python3
"""Runs one unittest file and writes [[name, passed|failed|skipped, detail], ...]: unittest_json.py FILE RESULTS.json"""
import importlib.util
import json
import pathlib
import sys
import unittest


class Recorder(unittest.TextTestResult):
    """Keeps every test's outcome; a test with failing sub-tests is one failed test."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.rows = {}

    def record(self, test, status, detail=""):
        name = test.id().split(".", 1)[-1] if hasattr(test, "id") else str(test)
        known = self.rows.get(name)
        if known and known[0] == "failed":
            detail, status = known[1] + "\n" + detail, "failed"
        self.rows[name] = (status, detail.strip())

    def addSuccess(self, test):
        super().addSuccess(test)
        self.record(test, "passed")

    def addError(self, test, err):
        super().addError(test, err)
        self.record(test, "failed", self._exc_info_to_string(err, test))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.record(test, "failed", self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.record(test, "skipped", reason)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.record(test, "failed", f"{subtest}\n{self._exc_info_to_string(err, test)}")

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.record(test, "passed")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.record(test, "failed", "passed, though it is marked as an expected failure")


def main():
    path, results = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    outcome = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Recorder).run(suite)
    rows = [[name, status, detail] for name, (status, detail) in outcome.rows.items()]
    results.write_text(json.dumps(rows), encoding="utf-8")
    return 0 if outcome.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())

"""What the test driver is made of: running commands with a deadline, reading test results, counting them."""
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
from typing import NamedTuple

TAIL_LINES = 120


class Outcome(NamedTuple):
    """One test: status is passed, failed or skipped; detail is its output or the reason for the skip."""
    name: str
    status: str
    detail: str = ""


class OutOfTime(Exception):
    """The whole run has used its time; what was running has been killed."""


class Report:
    """Counts outcomes per step. Where skipping is not allowed a skipped test is a failed one. One thread."""

    def __init__(self, skip_fails):
        self.skip_fails = skip_fails
        self.outcomes = []
        self.seconds = {}

    def add(self, step, outcomes):
        for outcome in outcomes:
            if outcome.status == "skipped" and self.skip_fails:
                outcome = Outcome(outcome.name, "failed", f"skipped, though ../shared is present: {outcome.detail}")
            self.outcomes.append((step, outcome))
            if outcome.status == "failed":
                print(f"\nFAILED {step}: {outcome.name}\n{outcome.detail.rstrip()}\n", flush=True)

    def count(self, status, step=None):
        return sum(1 for s, outcome in self.outcomes if outcome.status == status and step in (None, s))

    def print_summary(self):
        skipped = [(step, outcome) for step, outcome in self.outcomes if outcome.status == "skipped"]
        if skipped:
            print("\nSkipped:")
            for step, outcome in skipped:
                print(f"  {step}: {outcome.name}: {' '.join(outcome.detail.split())}")
        failed = [(step, outcome) for step, outcome in self.outcomes if outcome.status == "failed"]
        if failed:
            print("\nFailed (output above):")
            for step, outcome in failed:
                print(f"  {step}: {outcome.name}")
        print(f"\n{'step':<12} {'time':>8} {'passed':>7} {'failed':>7} {'skipped':>8}")
        for step, seconds in self.seconds.items():
            counts = [self.count(status, step) for status in ("passed", "failed", "skipped")]
            print(f"{step:<12} {clock(seconds):>8} {counts[0]:>7} {counts[1]:>7} {counts[2]:>8}")
        print(f"{'total':<12} {clock(sum(self.seconds.values())):>8}\n")
        print(self.last_line(), flush=True)

    def last_line(self):
        return ", ".join(f"{self.count(status)} {status}" for status in ("passed", "failed", "skipped"))


def tracked(root, *patterns):
    """Paths of the files under version control, and of new ones that are not ignored, relative to root."""
    # safe.directory: a build machine's clone often belongs to another user.
    listing = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
                              "--exclude-standard", "--", *patterns],
                             cwd=root, check=True, capture_output=True, text=True).stdout
    return [name for name in listing.split("\0") if name and (pathlib.Path(root) / name).is_file()]


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def tail(text, lines=TAIL_LINES):
    kept = text.splitlines()
    if len(kept) <= lines:
        return text
    return f"... {len(kept) - lines} lines left out ...\n" + "\n".join(kept[-lines:])


class Runner:
    """Runs commands in process groups of their own and kills them when the run's time is over. Thread-safe."""

    def __init__(self, root, logs, limit_seconds, environment):
        self.root, self.logs, self.environment = pathlib.Path(root), pathlib.Path(logs), environment
        self.end = time.monotonic() + limit_seconds
        self.running = set()

    def kill_all(self):
        """For a signal handler: ends what is running now; the threads that wait for it see it fail."""
        self.end = time.monotonic()
        for process in list(self.running):
            kill_group(process, wait=False)

    def left(self):
        return self.end - time.monotonic()

    def run(self, command, log, environment=None, limit_seconds=None):
        """Returns (exit status, output). The output also stands in <logs>/<log>. A status of None: took too long."""
        limit = self.left() if limit_seconds is None else min(limit_seconds, self.left())
        if limit <= 0:
            raise OutOfTime
        self.logs.mkdir(parents=True, exist_ok=True)
        path = self.logs / log
        with open(path, "wb") as output:
            process = subprocess.Popen([str(part) for part in command], cwd=self.root, stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                                       env={**os.environ, **self.environment, **(environment or {})})
            self.running.add(process)
            try:
                status = process.wait(limit)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                kill_group(process)
                self.running.discard(process)
        text = path.read_text(encoding="utf-8", errors="replace")
        if status is None:
            if self.left() <= 0:
                raise OutOfTime
            text += f"\nkilled after {limit:.0f} s"
        return status, text


def kill_group(process, wait=True):
    """Ends the process and what it left behind."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    if wait:
        process.wait()


def check(runner, name, command, log):
    """A command that passes when it ends with 0."""
    status, output = runner.run(command, log)
    return Outcome(name, "passed" if status == 0 else "failed", "" if status == 0 else tail(output))


def run_gtest(runner, executable, log, gtest_filter=None, environment=None, limit_seconds=900):
    """Runs one GoogleTest executable; a crash or a run without tests is a failed test of its own."""
    name = pathlib.Path(executable).name
    results = runner.logs / f"{log}.json"
    results.unlink(missing_ok=True)
    command = [*wrapper(environment), executable, f"--gtest_output=json:{results}", "--gtest_color=no"]
    if gtest_filter:
        command.append(f"--gtest_filter={gtest_filter}")
    status, output = runner.run(command, log, environment, limit_seconds)
    outcomes = read_gtest(results, output, name) if results.is_file() else []
    failures = sum(1 for outcome in outcomes if outcome.status == "failed")
    if status != 0 and failures == 0:
        outcomes.append(Outcome(name, "failed", f"{tail(output)}\nended with status {status}"))
    elif not outcomes and not gtest_filter:
        outcomes.append(Outcome(name, "failed", "no test ran"))
    return outcomes


def wrapper(environment):
    # GCC 12's ThreadSanitizer does not start under the kernel's wider address randomisation.
    return ["setarch", "-R"] if environment and "TSAN_OPTIONS" in environment else []


def read_gtest(results, output, executable):
    outcomes = []
    for suite in json.loads(results.read_text(encoding="utf-8"))["testsuites"]:
        for test in suite["testsuite"]:
            name = f"{suite['name']}.{test['name']}"
            if test.get("status") != "RUN":
                continue
            text = output_of_gtest(output, name)
            if test.get("failures"):
                text = text or "\n".join(failure["failure"] for failure in test["failures"])
                outcomes.append(Outcome(f"{executable} {name}", "failed", tail(text)))
            elif test.get("result") == "SKIPPED":
                reason = re.sub(r"\S+:\d+: Skipped\n", "", text).strip()
                outcomes.append(Outcome(f"{executable} {name}", "skipped", reason or "no reason given"))
            else:
                outcomes.append(Outcome(f"{executable} {name}", "passed"))
    return outcomes


def output_of_gtest(output, name):
    """What the executable printed between the start and the end of one test."""
    pattern = rf"\[ RUN      \] {re.escape(name)}\n(.*?)\[ (?:      OK| FAILED | SKIPPED) \] {re.escape(name)}[ ,(\n]"
    match = re.search(pattern, output, re.DOTALL)
    return match[1] if match else ""


def run_unittest(runner, path, log, limit_seconds=1800):
    """Runs one Python test file; failing to load and having no test are failed tests of their own."""
    results = runner.logs / f"{log}.json"
    results.unlink(missing_ok=True)
    script = pathlib.Path(__file__).with_name("unittest_json.py")
    status, output = runner.run([sys.executable, script, path, results], log, limit_seconds=limit_seconds)
    if not results.is_file():
        return [Outcome(str(path), "failed", f"{tail(output)}\nended with status {status}")]
    outcomes = [Outcome(f"{path} {name}", result, tail(detail))
                for name, result, detail in json.loads(results.read_text(encoding="utf-8"))]
    return outcomes or [Outcome(str(path), "failed", "no test ran")]

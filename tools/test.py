#!/usr/bin/env python3
"""The tests of reeltag; called by ./test, which installs what they need.

    ./test                 the default tier: 45 to 55 minutes from cold on two cores
    ./test --fast          before a commit: lint, and of what changed the format, the modules' unit tests and clang-tidy
    ./test --all           everything: also TSan, clang's analyzer, clang-tidy on files with libtorch, the slow tests
    ./test --only STEP     one step (can be repeated) and the steps it needs; --list names them

The last line is `N passed, N failed, N skipped`; the exit status is 0 only when nothing failed.
"""
import argparse
import concurrent.futures
import functools
import json
import os
import pathlib
import shlex
import signal
import sys
import time
from typing import Callable, NamedTuple

import changed
import harness
from harness import Outcome

ROOT = pathlib.Path(__file__).resolve().parent.parent
RELEASE = ROOT / "build" / "release"
VENV = ROOT / ".deps" / "venv" / "bin"
LIMIT_MINUTES = 80
LIMIT_MINUTES_ALL = 180
CORES = os.cpu_count() or 1
# GoogleTest suites whose name begins with Slow, and the Python files under tests/slow, run with --all only.
SLOW_SUITES = "Slow*:*/Slow*"
SANITIZER_ENVIRONMENT = {
    "asan": {"ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:detect_container_overflow=0:"
                             "allow_addr2line=1",
             "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1", "TBB_ENABLE_SANITIZERS": "1"},
    "tsan": {"TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1", "TBB_ENABLE_SANITIZERS": "1"},
}


class Step(NamedTuple):
    """needs: steps that must have passed; all_only: left out of the default tier."""
    name: str
    run: Callable
    needs: tuple = ()
    all_only: bool = False


def in_parallel(function, items, jobs=CORES):
    """Results in the order of the items; the first exception ends it."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
        return list(pool.map(function, items))


def build(runner):
    return [harness.check(runner, "program and tests", ["tools/build.sh", "tests"], "build.log")]


def program(runner):
    """As ./run builds it, a dozen sources at a time: names that collide are found here only."""
    folder = ROOT / "build" / "unity"
    commands = [["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DREELTAG_UNITY=ON"],
                ["ninja", "-C", folder, f"-j{CORES}", "program"]]
    for command in commands:
        built = harness.check(runner, f"the program as ./run builds it ({command[0]})", command, f"unity-{command[0]}.log")
        if built.status == "failed":
            return [built]
    return [built]


def headers(runner):
    command = ["ninja", "-C", RELEASE, f"-j{CORES}", "all_verify_interface_header_sets"]
    return [harness.check(runner, "every public header compiles alone", command, "headers.log")]


def run_listed_tests(runner, folder, prefix, gtest_filter, environment=None):
    listing = folder / "tests.txt"
    executables = listing.read_text(encoding="utf-8").split("\n") if listing.is_file() else []
    executables = [name for name in executables if name]
    if not executables:
        return [Outcome(str(listing), "failed", "names no test executable")]
    threads = {"OMP_NUM_THREADS": "1"} if CORES > 1 else {}

    def one(executable):
        log = f"{prefix}-{pathlib.Path(executable).name}.log"
        return harness.run_gtest(runner, executable, log, gtest_filter, {**threads, **(environment or {})})
    return [outcome for outcomes in in_parallel(one, executables) for outcome in outcomes]


def unit(runner):
    return run_listed_tests(runner, RELEASE, "unit", f"-{SLOW_SUITES}")


def slow(runner):
    return run_listed_tests(runner, RELEASE, "slow", SLOW_SUITES) + python_tests(runner, "tests/slow/test_*.py")


def python_tests(runner, *patterns, jobs=1):
    def one(path):
        return harness.run_unittest(runner, path, f"{path.replace('/', '-')}.log")
    files = sorted({path for pattern in patterns for path in harness.tracked(ROOT, f":(glob){pattern}")})
    return [outcome for outcomes in in_parallel(one, files, jobs) for outcome in outcomes]


def tools(runner):
    return python_tests(runner, "tests/layering/test_*.py", "tests/tools/test_*.py", jobs=CORES)


def e2e(runner):
    # Most of them wait: for a browser, a server, a deadline.
    return python_tests(runner, "tests/e2e/test_*.py", "tests/security/test_*.py", jobs=CORES)


def lint(runner):
    shell = [name for name in ["run", "test", ".ci/run", *harness.tracked(ROOT, "*.sh")] if (ROOT / name).is_file()]
    return [harness.check(runner, "tools/lint.py", [sys.executable, "tools/lint.py"], "lint.log"),
            harness.check(runner, "shellcheck", ["shellcheck", *shell], "shellcheck.log")]


def format_sources(runner, files=None):
    files = harness.tracked(ROOT, "*.cpp", "*.hpp") if files is None else files
    if not files:
        return [Outcome("clang-format", "passed")]
    status, output = runner.run([VENV / "clang-format", "--dry-run", "-Werror", *files], "format.log")
    if status == 0:
        return [Outcome("clang-format", "passed")]
    wrong = sorted({line.split(":")[0] for line in output.splitlines() if "[-Wclang-format-violations]" in line})
    advice = f"run: .deps/venv/bin/clang-format -i {' '.join(wrong)}"
    return [Outcome("clang-format", "failed", advice if wrong else output)]


def without_precompiled_header(words):
    """So that a file which leaves an include to the precompiled header is found."""
    kept = []
    for word in words:
        if word.endswith("cmake_pch.hxx") and kept[-1:] == ["-include"]:
            kept.pop()
        else:
            kept.append(word)
    return kept


def tidy_database():
    """Writes compile_commands.json without a compiler cache in front; returns its folder, torch-free and torch files."""
    entries = json.loads((RELEASE / "compile_commands.json").read_text(encoding="utf-8"))
    kept, files = [], {False: set(), True: set()}
    for entry in entries:
        if "_verify_interface_header_sets" in entry["command"] or str(ROOT / "build") in entry["file"]:
            continue
        words = shlex.split(entry["command"])
        if pathlib.Path(words[0]).name == "ccache":
            words = words[1:]
        with_torch = any("/torch/include" in word for word in words)
        if not with_torch:
            words = without_precompiled_header(words)
        entry["command"] = shlex.join(words)
        kept.append(entry)
        files[with_torch].add(entry["file"])
    folder = ROOT / "build" / "tidy"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compile_commands.json").write_text(json.dumps(kept), encoding="utf-8")
    return folder, sorted(files[False]), sorted(files[True])


def tidy(runner, torch=False, analyzer=False, only=None):
    """only: paths below the root, in place of all files. analyzer: also clang's, which takes three times as long as all other checks. Not on tests, where it follows every
    path through GoogleTest's macros, nor on coroutines, whose frames it takes to be uninitialised."""
    folder, *files = tidy_database()
    if analyzer:
        files = [file for file in files[False] + files[True] if not file.endswith("_test.cpp")
                 and "co_await" not in pathlib.Path(file).read_text(encoding="utf-8")]
    else:
        files = files[torch]
    if only is not None:
        files = [file for file in files if str(pathlib.Path(file).relative_to(ROOT)) in only]
        if not files:
            return [Outcome("clang-tidy", "passed")]
    if not files:
        return [Outcome("clang-tidy", "passed" if torch else "failed", "no file to check")]
    # deprecated: what std::stable_sort uses itself, in GCC's library; GCC warns of ours.
    command = [VENV / "clang-tidy", "-p", folder, "--quiet", "--extra-arg=-Wno-ignored-gch",
               "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-deprecated-declarations",
               *([] if analyzer else ["--checks=-clang-analyzer-*"])]
    step = "analyze" if analyzer else "tidy"

    def one(file):
        name = str(pathlib.Path(file).relative_to(ROOT))
        return harness.check(runner, f"{step} {name}", [*command, file], f"{step}-{name.replace('/', '-')}.log")
    return in_parallel(one, files)


def sanitize(runner, preset):
    commands = [["cmake", "--preset", preset], ["ninja", "-C", ROOT / "build" / preset, f"-j{CORES}", "reeltag_tests"]]
    for command in commands:
        built = harness.check(runner, f"{preset} {command[0]}", command, f"{preset}-{command[0]}.log")
        if built.status == "failed":
            return [built]
    return run_listed_tests(runner, ROOT / "build" / preset, preset, f"-{SLOW_SUITES}", SANITIZER_ENVIRONMENT[preset])


STEPS = [
    Step("lint", lint),
    Step("format", format_sources),
    Step("build", build),
    Step("headers", headers, needs=("build",)),
    Step("program", program),
    Step("unit", unit, needs=("build",)),
    Step("tools", tools),
    Step("e2e", e2e, needs=("build",)),
    Step("tidy", tidy, needs=("build",)),
    Step("asan", functools.partial(sanitize, preset="asan")),
    Step("slow", slow, needs=("build",), all_only=True),
    Step("tsan", functools.partial(sanitize, preset="tsan"), all_only=True),
    Step("analyze", functools.partial(tidy, analyzer=True), needs=("build",), all_only=True),
    Step("tidy-torch", functools.partial(tidy, torch=True), needs=("build",), all_only=True),
]


def format_changed(runner):
    return format_sources(runner, [name for name in changed.changed_files() if name.endswith((".cpp", ".hpp"))])


def unit_changed(runner):
    """Builds and runs the tests of the modules that have changed files; a module without tests has none to run."""
    known = {pathlib.Path(line).name for line in (RELEASE / "tests.txt").read_text(encoding="utf-8").split("\n")}
    targets = [f"reeltag_{module}_test" for module in changed.modules(changed.changed_files())]
    targets = [target for target in targets if target in known]
    if not targets:
        return [Outcome("no module changed", "passed")]
    built = harness.check(runner, "tests of " + ", ".join(targets), ["ninja", "-C", RELEASE, f"-j{CORES}", *targets],
                          "fast-build.log")
    if built.status == "failed":
        return [built]

    def one(target):
        return harness.run_gtest(runner, str(RELEASE / target), f"fast-{target}.log", f"-{SLOW_SUITES}",
                                 {"OMP_NUM_THREADS": "1"})
    return [outcome for outcomes in in_parallel(one, targets) for outcome in outcomes]


def tidy_changed(runner):
    """Of files without libtorch, as the default tier does."""
    return tidy(runner, only=set(changed.changed_files()))


FAST_STEPS = [Step("lint", lint), Step("format-changed", format_changed), Step("unit-changed", unit_changed),
              Step("tidy-changed", tidy_changed)]


def chosen_steps(options):
    if options.fast:
        return FAST_STEPS
    by_name = {step.name: step for step in STEPS}
    if not options.only:
        return [step for step in STEPS if options.all or not step.all_only]
    wanted = set()
    for name in options.only:
        wanted |= {name, *by_name[name].needs}
    return [step for step in STEPS if step.name in wanted]


def run_steps(steps, runner, report):
    for number, step in enumerate(steps, 1):
        failed = [need for need in step.needs if need in report.seconds and report.count("failed", need)]
        start = time.monotonic()
        if failed:
            report.add(step.name, [Outcome(step.name, "failed", f"not run: {failed[0]} failed")])
            report.seconds[step.name] = 0
            continue
        print(f"[{number}/{len(steps)}] {step.name}", flush=True)
        try:
            report.add(step.name, step.run(runner))
        except harness.OutOfTime:
            report.add(step.name, [Outcome(step.name, "failed", "killed: the run is over its time limit")])
            return
        finally:
            report.seconds[step.name] = time.monotonic() - start
        print(f"    {harness.clock(report.seconds[step.name])}  {report.count('passed', step.name)} passed, "
              f"{report.count('failed', step.name)} failed, {report.count('skipped', step.name)} skipped", flush=True)


def test_environment(shared):
    environment = {"REELTAG_HOME": str(ROOT / "build" / "test-home"), "REELTAG_ROOT": str(ROOT),
                   "REELTAG_BINARY": str(RELEASE / "reeltag"), "PYTHONDONTWRITEBYTECODE": "1"}
    if shared:
        environment["REELTAG_SHARED"] = str(shared)
    else:
        os.environ.pop("REELTAG_SHARED", None)
    return environment


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="what changed, in under two minutes; needs a built tree")
    parser.add_argument("--all", action="store_true", help="every tier")
    parser.add_argument("--only", action="append", metavar="STEP", choices=[step.name for step in STEPS])
    parser.add_argument("--list", action="store_true", help="name the steps and end")
    parser.add_argument("--setup-seconds", type=float, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.list:
        print("\n".join(step.name + (" (--all)" if step.all_only else "") for step in STEPS))
        return 0
    if options.fast and not (RELEASE / "tests.txt").is_file():
        parser.error("--fast needs a built tree: run ./test --only build once")
    shared = ROOT.parent / "shared"
    shared = shared if (shared / "goldens").is_dir() else None
    report = harness.Report(skip_fails=shared is not None)
    report.seconds["set-up"] = options.setup_seconds
    limit = 60 * (LIMIT_MINUTES_ALL if options.all else LIMIT_MINUTES)
    runner = harness.Runner(ROOT, ROOT / "build" / "test-logs", limit - options.setup_seconds, test_environment(shared))

    def stop(signum, frame):
        del frame
        runner.kill_all()
        raise KeyboardInterrupt(signum)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    print(f"reference data: {shared or 'none (tests that need ../shared are skipped)'}; logs: build/test-logs", flush=True)
    try:
        run_steps(chosen_steps(options), runner, report)
    except KeyboardInterrupt:
        report.add("driver", [Outcome("driver", "failed", "interrupted")])
    report.print_summary()
    return 1 if report.count("failed") else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Measures accuracy and cost of each cold-start method on videos of unseen groups (see README.md beside this file).

    coldstart.py run --row histogram|scratch|image encoder|fused --data DIR    all folds without a result
    coldstart.py time --row ROW --data DIR                               ms to tag a video
    coldstart.py table                                                   the results as Markdown
    coldstart.py document                                                writes them into docs/results.md

Exit status: 0 done, 1 failed, 2 wrong usage, 3 some folds failed, 130 interrupted (run it again to resume).
"""
import argparse
import pathlib
import signal
import sys

import environment
import folds
import measures
import protocol
import results
import tables
import tagging
from protocol import Refused

ROOT = folds.ROOT


def numbers_in(allowed):
    def read(text):
        try:
            numbers = [int(word) for word in text.split(",")]
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"wants numbers like 0,1,2, not {text}") from error
        if not set(numbers) <= set(allowed):
            raise argparse.ArgumentTypeError(f"knows {', '.join(map(str, allowed))}, not {text}")
        return sorted(set(numbers))
    return read


def bench_of(options):
    """The paths of a run; creates the colour histogram's Python if that row is requested and it does not exist."""
    python = pathlib.Path(sys.executable)
    if options.row == "histogram" and not options.no_venv:
        python = environment.ready_python(ROOT / "build" / "bench-venv")
    elif options.row != "histogram" and not options.program.is_file():
        raise Refused(f"{options.program} is not there: build it (./run --help does) or give --program")
    return folds.Bench(options.program.resolve(), python, options.data.resolve(), options.home.resolve(),
                       options.out.resolve())


def tasks_of(options):
    return list(protocol.TASKS.values()) if options.task == "all" else [protocol.TASKS[options.task]]


def run(options):
    bench = bench_of(options)
    failed = sum(folds.run_row(bench, options.row, protocol.read_task(task, bench.data), options.seeds, options.folds)
                 for task in tasks_of(options))
    if failed:
        print(f"{failed} folds failed; the same command tries only those again", file=sys.stderr)
    return 3 if failed else 0


def time(options):
    bench, status = bench_of(options), 0
    for task in tasks_of(options):
        try:
            result = tagging.measure(bench, options.row, protocol.read_task(task, bench.data),
                                     videos=options.videos, repeats=options.repeats)
        except folds.Failed as error:
            print(f"{options.row} {task.name}: FAILED: {error}", file=sys.stderr)
            status = 3
            continue
        print(f"{options.row} {task.name}: {result['cpu_ms_per_video']:.1f} ms CPU a video", file=sys.stderr)
    return status


def table(options):
    print(tables.markdown(results.Results(options.out), options.resamples), end="")
    return 0


def document(options):
    text = options.document.read_text(encoding="utf-8")
    try:
        new = tables.put_into(text, tables.markdown(results.Results(options.out), options.resamples))
    except ValueError as error:
        raise Refused(f"{options.document}: {error}") from error
    if new != text:
        results.write_whole(options.document, new.encode())
    return 0


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0],
                                     epilog="Exit status" + __doc__.partition("Exit status")[2])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(function, about):
        command = commands.add_parser(function.__name__, help=about, description=about)
        command.set_defaults(function=function)
        command.add_argument("--out", "--results", type=pathlib.Path, default=ROOT / "bench" / "results" / "coldstart",
                             help="folder of the results (default: bench/results/coldstart)")
        return command

    def add_places(command):
        command.add_argument("--row", choices=protocol.ROWS, required=True)
        command.add_argument("--task", choices=[*protocol.TASKS, "all"], default="all")
        command.add_argument("--data", type=pathlib.Path, required=True, help="folder of actions/ and captioned/")
        command.add_argument("--home", type=pathlib.Path, default=ROOT / "build" / "coldstart",
                             help="folder of what is made on the way (default: build/coldstart)")
        command.add_argument("--program", type=pathlib.Path, default=ROOT / "build" / "release" / "reeltag")
        command.add_argument("--no-venv", action="store_true",
                             help="the colour histogram uses this Python, which has what requirements.txt names")

    command = add(run, "Run every fold of a row that has no result yet")
    add_places(command)
    command.add_argument("--seeds", type=numbers_in(protocol.SEEDS), default=list(protocol.SEEDS), help="e.g. 0,1")
    command.add_argument("--folds", type=numbers_in(protocol.FOLDS), default=list(protocol.FOLDS), help="e.g. 0,1")
    command = add(time, "Measure what tagging one more video costs, with the model of seed 0, fold 0")
    add_places(command)
    command.add_argument("--videos", type=int, default=tagging.VIDEOS)
    command.add_argument("--repeats", type=int, default=tagging.REPEATS)
    for command in (add(table, "Print the results as Markdown"), add(document, "Write them into a document")):
        command.add_argument("--resamples", type=int, default=measures.RESAMPLES)
    command.add_argument("--document", type=pathlib.Path, default=ROOT / "docs" / "results.md")
    return parser.parse_args(arguments)


def interrupt(*_):
    raise KeyboardInterrupt


def main(arguments=None):
    options = parse(arguments)
    signal.signal(signal.SIGTERM, interrupt)
    try:
        return options.function(options)
    except Refused as refused:
        print(f"coldstart: {refused}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())

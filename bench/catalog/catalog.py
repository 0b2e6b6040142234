#!/usr/bin/env python3
"""Times the catalog on SQLite and PostgreSQL with synthetic rows: bench/catalog/catalog.py [--videos N] [--build DIR]

Builds bench_catalog, starts its own PostgreSQL server (tests/e2e/postgres.py), runs both, prints a table as in
docs/results.md and writes bench/results/catalog.json with date, machine, command and commit.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import postgres  # noqa: E402


def measure(program, url, videos, environment=None):
    done = subprocess.run([program, url, str(videos)], stdout=subprocess.PIPE, text=True, check=True,
                          env={**os.environ, **(environment or {})})
    return json.loads(done.stdout)


def machine():
    model = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
                  if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} x {model}"


def table(results):
    names = list(results)
    lines = ["| | " + " | ".join(names) + " |", "|---|" + "---|" * len(names)]
    fills = [results[name]["fill"] for name in names]
    lines.append(f"| filling with {fills[0]['videos']:,} videos and {fills[0]['hashtag_rows']:,} hashtag rows | "
                 + " | ".join(f"{fill['seconds']:.1f} s" for fill in fills) + " |")
    for question in results[names[0]]["questions"]:
        cells = [results[name]["questions"][question] for name in names]
        lines.append(f"| {question} | " + " | ".join(f"{cell['median_ms']:.2f} ({cell['longest_ms']:.1f})" for cell in cells)
                     + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=100_000)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    options = parser.parse_args()
    subprocess.run(["ninja", "-C", options.build, "bench_catalog"], stdout=sys.stderr, check=True)
    program = options.build / "bench_catalog"
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        results["SQLite"] = measure(program, str(pathlib.Path(folder) / "catalog.db"), options.videos)
    server = postgres.Server(ROOT)
    try:
        server.start()
        server.psql("postgres", "CREATE DATABASE bench TEMPLATE template0 ENCODING 'UTF8'")
        results["PostgreSQL"] = measure(program, server.url("bench"), options.videos, server.environment())
    finally:
        server.remove()
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12"], capture_output=True,
                            text=True, check=True).stdout.strip()
    print(table(results))
    report = {"date": datetime.date.today().isoformat(), "machine": machine(), "commit": commit,
              "command": " ".join(["bench/catalog/catalog.py", *sys.argv[1:]]), "results": results}
    (ROOT / "bench" / "results" / "catalog.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

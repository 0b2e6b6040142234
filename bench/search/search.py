#!/usr/bin/env python3
"""Times `reeltag search` on a library of synthetic rows: bench/search/search.py [--rows N] [--program build/release/reeltag]

Captions of 12 words and typed hashtags by Zipf's law, five predicted hashtags of 400, all from one seed. Prints a
table: for each query the number of matching rows and the CPU and wall time of a search minus the program's start-up
(measured by a query without words), medians of --repeat runs.
"""
import argparse
import json
import pathlib
import random
import resource
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORDS, HASHTAGS = 30_000, 400
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


def word(number):
    """Maps a number to a unique word: 0 is "ba"."""
    text = SYLLABLES[number % len(SYLLABLES)]
    while number := number // len(SYLLABLES):
        text += SYLLABLES[number % len(SYLLABLES)]
    return text


def hashtag(number):
    """A third of two words, as Kinetics' are."""
    return f"tag {word(number)}" if number % 3 == 0 else f"tag{word(number)}"


def lines(rows, seed):
    draw = random.Random(seed)
    weights = [1 / (rank + 2) for rank in range(WORDS)]
    vocabulary = [word(number) for number in range(WORDS)]
    tag_weights = [1 / (rank + 5) for rank in range(HASHTAGS)]
    for number in range(rows):
        words = draw.choices(vocabulary, weights, k=15)
        tags = sorted(set(draw.choices(range(HASHTAGS), tag_weights, k=5)))
        yield {"video": f"library/{number:08d}.mp4", "model": "drawn", "duration": 10.0,
               "caption": " ".join(words[:12]), "hashtags": words[12:],
               "tags": [{"hashtag": hashtag(tag), "score": round(draw.random(), 4), "segments": [[0.0, 2.0], [5.0, 7.0]]}
                        for tag in tags]}


def cpu_and_wall(command):
    begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - begin, done.stdout


def measure(options, home, query, limit=10):
    runs = [cpu_and_wall([options.program, "--home", home, "search", query, "--limit", limit, "--json"])
            for _ in range(options.repeat)]
    return statistics.median(run[0] for run in runs), statistics.median(run[1] for run in runs), json.loads(runs[0][2])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build" / "release" / "reeltag")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=11)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    queries = {"a rare word": word(20_000), "a common word": word(0), "three common words": " ".join(map(word, (0, 1, 2))),
               "a common hashtag": f"#{hashtag(1)}", "a hashtag of two words": hashtag(0),
               "half of a third of all hashtags": "tag", "a hashtag that is cut in two": f"#{word(5)}{word(9)}",
               "ten words": " ".join(map(word, range(3, 13))), "nothing": "zzzz"}
    with tempfile.TemporaryDirectory() as folder:
        tags, home = pathlib.Path(folder) / "tags.jsonl", pathlib.Path(folder) / "home"
        with tags.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines(options.rows, options.seed))
        cpu, wall, _ = cpu_and_wall([options.program, "--home", home, "index", "add", "--tags", tags, "-q"])
        size = (home / "index" / "index.db").stat().st_size
        print(f"{options.rows} rows: written in {wall:.1f} s ({cpu:.1f} s CPU), {size / 1e6:.0f} MB")
        start_cpu, start_wall, _ = measure(options, home, "!")
        print(f"start: {1000 * start_cpu:.0f} ms CPU, {1000 * start_wall:.0f} ms\n")
        print("| query | rows named | CPU ms | wall ms |\n|---|---|---|---|")
        for name, query in queries.items():
            named = len(measure(argparse.Namespace(program=options.program, repeat=1), home, query, 100_000)[2]["results"])
            cpu, wall, _ = measure(options, home, query)
            print(f"| {name} | {named} | {1000 * (cpu - start_cpu):.0f} | {1000 * (wall - start_wall):.0f} |", flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""./run demo: runs all of reeltag on a local replica of TikTok. Nothing leaves this machine.

Generates synthetic clips, serves them as a stand-in for the site (tiktok_site.py), collects them with the real
TikTokApi in a real browser, freezes a dataset, trains a linear head, evaluates, tags unseen clips, and searches.
The duration of each stage is in HOME/demo.json. Exit status: 0 done, 1 a stage failed (run it again to resume),
2 wrong usage.
"""
import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from tiktok_site import Site  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILT = ROOT / "build" / "release"
POLICY = """\
# Written by ./run demo for a replica of the site on this machine. It allows nothing but that.
terms: none, the site is a replica on loopback
allowed_by: ./run demo
requests_per_minute: 6000
retention_days: 1
"""
DRAWN = {"train": {"clips-per-class": 20, "seed": 1, "missing": 0.25, "generic": 0.6},
         "unseen": {"clips-per-class": 1, "seed": 2}}
CLASSES = 8
# Generic hashtags. `dataset vocabulary` finds them among thousands of videos, but not among a hundred.
GENERIC = ["fyp", "fypシ", "foryou", "foryoupage", "viral", "trending"]


class Failed(Exception):
    pass


class Demo:
    def __init__(self, home, clips):
        self.home, self.clips, self.journal = home, clips, []
        self.file = home / "demo.json"

    def stage(self, name, what, work):
        """Runs the work, prints its name, and records its duration."""
        print(f"\n== {name}: {what}", flush=True)
        entry = {"stage": name, "status": "failed", "seconds": 0.0}
        self.journal.append(entry)
        start = time.monotonic()
        try:
            result = work()
            entry["status"] = "done"
            return result
        finally:
            entry["seconds"] = round(time.monotonic() - start, 1)
            self.file.write_text(json.dumps({"replica": True, "stages": self.journal}, indent=1) + "\n", encoding="utf-8")
            print(f"   {entry['seconds']:.1f} s", flush=True)

    def reeltag(self, *words, allowed=(0,)):
        """Prints and runs a command as a user would; returns its JSON lines."""
        print("   $ reeltag " + shlex.join(map(str, words)), flush=True)
        command = [BUILT / "reeltag", "--home", self.home, "--json", "-q", *map(str, words)]
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
        if ended.returncode not in allowed:
            raise Failed(f"reeltag {words[0]} ended with status {ended.returncode}")
        return [json.loads(line) for line in ended.stdout.splitlines()]

    def draw(self):
        made = {}
        for name, options in DRAWN.items():
            made[name] = self.home / "clips" / name
            if not (made[name] / "manifest.jsonl").is_file():
                words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
                subprocess.run([BUILT / "make_clips", "--out", made[name], "--set", "mixed", "--classes", str(CLASSES),
                                "--seconds", "2", "--quiet", *words], check=True, stdout=subprocess.DEVNULL)
        return made

    def collect(self, site, hashtags):
        tags = [word for tag in hashtags for word in ("--hashtag", tag)]
        report = self.reeltag("collect", "--source", "tiktok", *tags, "--limit", 200,
                              "--set", f"collect.tiktok.proxy={site.proxy}",
                              "--set", f"collect.tiktok.ca_file={site.certificate}",
                              "--set", "http.allow=[127.0.0.1]", allowed=(0, 3))[0]
        for tag, found in report["hashtags"].items():
            print(f"   #{tag}: {found['seen']} seen, {found['added']} added, {found['failed']} failed")
        if sum(found["added"] + found["duplicate"] for found in report["hashtags"].values()) == 0:
            raise Failed("nothing was collected")

    def learn(self):
        run = self.home / "runs" / "demo"
        if not (run / "bundle").exists() and not run.exists():
            self.reeltag("train", "--frozen", "--run", "demo")
        return self.reeltag("evaluate", "--run", "demo")[0]

    def tag(self, folder):
        right = 0
        lines = self.reeltag("tag", folder, "--model", "demo")
        for line in lines:
            truth = pathlib.Path(line["video"]).parent.name
            said = ", ".join(f"#{tag['hashtag']} {100 * tag['score']:.0f} %" for tag in line["tags"][:3]) or "unsure"
            right += any(tag["hashtag"] == truth for tag in line["tags"])
            print(f"   {truth:28} {said}")
        print(f"   the kind of clip is among the hashtags of {right} of {len(lines)} clips that nothing had seen")

    def search(self, hashtags):
        self.reeltag("index", "build", "--model", "demo")
        for tag in hashtags[:3]:
            results = self.reeltag("search", f"#{tag}", "--limit", 50)[0]["results"]
            only_seen = [hit for hit in results if hit["why"] == ["predicted"]]
            print(f"   #{tag}: {len(results)} videos, {len(only_seen)} of them without that hashtag typed or in the caption")

    def run(self):
        made = {"train": self.clips, "unseen": self.clips} if self.clips else None
        made = made or self.stage("draw", f"{CLASSES} kinds of clips, whose hashtags are known", self.draw)
        policies = self.home / "policies"
        policies.mkdir(exist_ok=True)
        (policies / "tiktok.yaml").write_text(POLICY, encoding="utf-8")
        with Site(made["train"]) as site:
            hashtags = sorted({post.path.parent.name for post in site.posts})
            # Posts without a hashtag of their own are listed under the generic one, as on the real site.
            asked = [*hashtags, *(["fyp"] if any(post.has("fyp") for post in site.posts) else [])]
            self.stage("collect", "from the replica of TikTok on this machine, by TikTokApi in Chromium",
                       lambda: self.collect(site, asked))
        block = self.home / "generic.txt"
        block.write_text("\n".join(GENERIC) + "\n", encoding="utf-8")
        self.stage("dataset", "a frozen snapshot with vocabulary, labels and split, without #fyp and its kind",
                   lambda: self.reeltag("dataset", "freeze", "--block", block))
        figures = self.stage("train", "a linear head on frozen features, then its figures on unseen videos", self.learn)
        print(f"   mean average precision on the test split: {100 * figures['map']:.0f} %; report: "
              f"{self.home / 'runs' / 'demo' / 'report.html'}")
        self.stage("tag", "clips that nothing has seen", lambda: self.tag(made["unseen"]))
        self.stage("search", "by what videos show", lambda: self.search(hashtags))


def main():
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=pathlib.Path, default=pathlib.Path.home() / ".reeltag-demo",
                        help="where everything goes (default ~/.reeltag-demo); delete it to begin anew")
    parser.add_argument("--clips", type=pathlib.Path, help="a folder of label folders to serve in place of drawn clips")
    options = parser.parse_args()
    if options.clips and not options.clips.is_dir():
        parser.error(f"{options.clips} is no folder")
    home = options.home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    os.environ.pop("REELTAG_HOME", None)
    print(f"This demo talks to a replica of TikTok on this machine; nothing is asked of the real site. Home: {home}")
    demo, start = Demo(home, options.clips and options.clips.resolve()), time.monotonic()
    try:
        demo.run()
    except (Failed, subprocess.CalledProcessError) as error:
        print(f"\nthe demo failed: {error}. The messages are above; the same command goes on.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"\nDone in {time.monotonic() - start:.0f} s, all of it on videos of the replica. Journal: {demo.file}\n"
          f"Go on: reeltag --home {home} search \"...\"")
    return 0


if __name__ == "__main__":
    sys.exit(main())

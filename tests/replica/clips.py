"""Reads the videos of a replica: a folder of make_clips, or any folder of label folders, as posts of a site."""
import json
import pathlib

FIRST_ID = 7_300_000_000_000_000_001  # beyond the exact range of a double, like real ids
FIRST_CREATED = 1_704_067_200         # 2024-01-01, if the manifest has no date


class Post:
    """One video of the site. number counts from 1; faults refer to it."""

    def __init__(self, number, path, row):
        self.number, self.path = number, pathlib.Path(path)
        self.id = FIRST_ID + number - 1
        self.hashtags = row.get("hashtags") or [self.path.parent.name]
        self.caption = row.get("caption") or " ".join(f"#{tag}" for tag in self.hashtags)
        self.author = row.get("author") or f"author{number % 5}"
        self.created = row.get("created") or FIRST_CREATED + 3600 * number

    def has(self, hashtag):
        return hashtag.casefold() in {tag.casefold() for tag in self.hashtags}


def read_posts(folder):
    folder = pathlib.Path(folder)
    manifest = folder / "manifest.jsonl"
    if manifest.is_file():
        rows = [json.loads(line) for line in manifest.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [Post(number, folder / row["file"], row) for number, row in enumerate(rows, 1)]
    return [Post(number, path, {}) for number, path in enumerate(sorted(folder.glob("*/*.mp4")), 1)]

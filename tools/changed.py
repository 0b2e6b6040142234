"""The files that the next commit would change (or, where nothing is changed, that the last one did), and the modules
that they belong to. Used by `./test --fast`."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODULE = re.compile(r"reeltag_module\(\s*NAME\s+(\w+)")


def git(*words):
    out = subprocess.run(["git", *words, "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in out.split("\0") if name]


def changed_files():
    """Paths below the root, without deleted files."""
    names = git("diff", "--name-only", "HEAD") + git("ls-files", "--others", "--exclude-standard")
    if not names:
        names = git("diff", "--name-only", "HEAD~1")
    return sorted({name for name in names if (ROOT / name).is_file()})


def module_of(name):
    """The module whose folder has the file; nothing where it belongs to none."""
    for folder in (ROOT / name).parents:
        if folder == ROOT:
            return None
        listing = folder / "CMakeLists.txt"
        found = MODULE.search(listing.read_text(encoding="utf-8")) if listing.is_file() else None
        if found:
            return found.group(1)
    return None


def modules(names):
    return sorted({module for module in map(module_of, names) if module})

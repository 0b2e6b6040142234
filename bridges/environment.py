#!/usr/bin/env python3
"""Makes the private environment of a bridge, once: bridges/environment.py REQUIREMENTS FOLDER

FOLDER becomes a virtual environment of this Python with what REQUIREMENTS pins by hash; FOLDER/ready, written last, says
of what it was made. Where that is true already nothing is done. Two at once: the second one waits. Can be killed at any
moment and run again.
"""
import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import sys

PIP = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-cache-dir", "--no-deps",
       "--only-binary=:all:", "--require-hashes", "--retries", "5"]


class Refused(Exception):
    """It cannot be made; the message says what to do."""


def identity_of(requirements, folder):
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    return f"{folder} {sys.version_info.major}.{sys.version_info.minor} {digest}\n"


def is_ready(folder, identity):
    try:
        return (folder / "ready").read_text(encoding="utf-8") == identity
    except OSError:
        return False


def make(requirements, folder, identity):
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run([sys.executable, "-m", "venv", str(folder)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise Refused(f"Python cannot make a virtual environment: {(done.stdout + done.stderr).strip()[-300:]}\n"
                      "On Debian: apt-get install python3-venv")
    done = subprocess.run([str(folder / "bin" / "python"), *PIP, "-r", str(requirements)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Refused(f"pip cannot install what {requirements} names: {done.stderr.strip()[-500:]}\n"
                      "Check the network and pip's index (pip config list), then start again")
    partial = folder / "ready.new"
    partial.write_text(identity, encoding="utf-8")
    partial.replace(folder / "ready")


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    requirements, folder = (pathlib.Path(word).resolve() for word in sys.argv[1:])
    identity = identity_of(requirements, folder)
    if is_ready(folder, identity):
        return 0
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_name(f"{folder.name}.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_ready(folder, identity):
            return 0
        try:
            make(requirements, folder, identity)
        except Refused as refused:
            print(refused, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Provides the Python environment of the colour histogram, created on first use."""
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

from protocol import Refused

REQUIREMENTS = pathlib.Path(__file__).with_name("requirements.txt")


def ready_python(folder):
    """The python of the venv in `folder`, recreated if requirements.txt or the path has changed."""
    folder = pathlib.Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    python, stamp = folder / "bin" / "python", folder / "ready"
    state = f"{folder} {sys.version} {hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()}"
    # Locks, as two rows may start at the same time.
    with open(folder.with_name(f".{folder.name}.lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == state:
            return python
        print(f"making {folder} with what {REQUIREMENTS.name} pins (62 MB to fetch)", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
                   "--only-binary", ":all:", "--require-hashes", "-r", REQUIREMENTS]
        for command in ([sys.executable, "-m", "venv", folder], install):
            if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False).returncode != 0:
                raise Refused(f"{REQUIREMENTS} could not be installed (messages above): check the network and pip's "
                              "index, or give --no-venv and a Python that has its packages")
        partial = folder / f"ready.{os.getpid()}"
        partial.write_text(state, encoding="utf-8")
        partial.replace(stamp)
    return python

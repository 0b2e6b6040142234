"""Runs a command and measures its cost; describes commit and machine for the results."""
import datetime
import os
import pathlib
import platform
import shlex
import subprocess
import tempfile
import time
from typing import NamedTuple

from protocol import Refused

TAIL_LINES = 15


class Ran(NamedTuple):
    """cpu_seconds: user and system time of the command and of the children it waited for."""
    output: str
    cpu_seconds: float
    seconds: float


class Failed(Exception):
    """One fold has failed; the run continues."""


def run(command, log):
    """Runs it on one thread if it supports that. Its stderr goes to `log`. Raises Failed unless it exits with 0."""
    log = pathlib.Path(log)
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [str(part) for part in command]
    start = time.monotonic()
    with tempfile.TemporaryFile() as output, open(log, "wb") as errors:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                                       env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})
        except OSError as error:
            raise Refused(f"{command[0]} does not start: {error}") from error
        try:
            # subprocess's own wait() discards the usage.
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - start
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    if process.returncode != 0:
        last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        raise Failed("\n".join([f"{shlex.join(command)} ended with status {process.returncode}", *last]))
    return Ran(text, usage.ru_utime + usage.ru_stime, seconds)


def shown(command, names):
    """The command with paths of this machine replaced by names. names: {path: name}."""
    words = []
    for word in map(str, command):
        for place, name in sorted(names.items(), key=lambda item: -len(str(item[0]))):
            if word == str(place) or word.startswith(f"{place}/"):
                word = name + word[len(str(place)):]
                break
        words.append(word)
    return shlex.join(words)


def git(root, *arguments):
    return subprocess.run(["git", "-c", "safe.directory=*", "-C", root, *arguments], check=True, capture_output=True,
                          text=True).stdout.strip()


def commit_of(root):
    """The checked-out commit, with -dirty if files other than results differ from it."""
    try:
        head = git(root, "rev-parse", "HEAD")
        changed = git(root, "status", "--porcelain", "--", ".", ":(exclude)bench/results", ":(exclude)docs/results.md")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("-dirty" if changed else "")


def today():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")


def machine():
    """Machine description for time measurements: processor, cores, memory, system."""
    model = first_value("/proc/cpuinfo", "model name", ":") or platform.machine()
    memory = first_value("/proc/meminfo", "MemTotal", ":") or "0"
    system = (first_value("/etc/os-release", "PRETTY_NAME", "=") or platform.system()).strip('"')
    return f"{os.cpu_count()} cores of {model}, {int(memory.split()[0]) / 1e6:.0f} GB, {system}"


def first_value(path, key, separator):
    try:
        lines = pathlib.Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        name, _, value = line.partition(separator)
        if name.strip() == key:
            return value.strip()
    return ""

#!/usr/bin/env python3
"""Runs a program so that nothing of it is left behind: bridges/guard.py --memory BYTES -- PROGRAM ARGUMENT...

The program has this process's stdin, stdout and stderr and a temporary folder of its own as HOME and TMPDIR. It ends, with
all that it started in whatever session or group, and the folder goes, as soon as
- the other end of stdin is closed, also because the process there was killed,
- it and all that it started take more memory than it may (status 9, and a line on stderr), or
- it ends by itself: its status is this one's, or 128 + the signal's number.
"""
import argparse
import ctypes
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
TOO_MUCH_MEMORY = 9
LOOK_SECONDS = 0.5
LIBC = ctypes.CDLL(None)


def descendants():
    """The processes below this one. Orphans come back to it, so none gets away."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            except OSError:
                continue  # it has ended meanwhile
            if fields[0] != "Z":
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [os.getpid()]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def memory_of(process):
    """Bytes, what is shared counted in shares."""
    try:
        for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines():
            if line.startswith("Pss:"):
                return 1024 * int(line.split()[1])
    except OSError:
        pass
    return 0


def reap():
    """Takes in the orphans that have ended. True while there are children."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def end_all():
    while True:
        for process in descendants():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if not reap():
            return
        time.sleep(0.005)


def follow(process, most):
    """Returns the status to end with."""
    ended = os.pidfd_open(process.pid)
    poll = select.poll()
    poll.register(0, 0)  # only that it is closed: what comes there is the program's
    poll.register(ended, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll(1000 * LOOK_SECONDS):
            if descriptor == 0:
                return 0
            status = process.wait()
            return status if status >= 0 else 128 - status
        if sum(map(memory_of, descendants())) > most:
            print(f"over its {most >> 20} MB of memory", file=sys.stderr, flush=True)
            return TOO_MUCH_MEMORY


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", type=int, required=True)
    parser.add_argument("program", nargs="+")
    options = parser.parse_args()
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    folder = tempfile.mkdtemp(prefix="reeltag-bridge-")
    try:
        process = subprocess.Popen(
            options.program, env={**os.environ, "HOME": folder, "TMPDIR": folder},
            preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
        return follow(process, options.memory)
    finally:
        end_all()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Runs a program and ends all its descendants when it ends: bridges/guard.py --memory BYTES -- PROGRAM ARGUMENT...

The program inherits stdin, stdout and stderr and gets a temporary folder as HOME and TMPDIR. It is killed with all its
descendants, in any session or group, and the folder is removed, as soon as
- the other end of stdin is closed, also because the process there was killed,
- the program and its descendants exceed the memory limit (status 9, and a line on stderr), or
- the program ends: this process exits with its status, or 128 + the signal's number.
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
PAGE = os.sysconf("SC_PAGE_SIZE")
LIBC = ctypes.CDLL(None)


def descendants():
    """The descendants of this process. Orphans are reparented to it, so none is missed."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            except OSError:
                continue  # ended meanwhile
            if fields[0] != "Z":
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [os.getpid()]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def memory_of(process):
    """Proportional set size in bytes; the resident size of a process that hides it."""
    try:
        for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines():
            if line.startswith("Pss:"):
                return 1024 * int(line.split()[1])
    except OSError:
        pass
    try:
        return PAGE * int(pathlib.Path(f"/proc/{process}/statm").read_text(encoding="utf-8").split()[1])
    except OSError:
        return 0  # ended meanwhile


def reap():
    """Reaps ended children. True while there are others."""
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
    """Waits for one of the end conditions; returns the exit status."""
    ended = os.pidfd_open(process.pid)
    poll = select.poll()
    poll.register(0, 0)  # detects closing only: the data is for the program
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

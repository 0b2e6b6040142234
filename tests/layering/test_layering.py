"""The layering rule of cmake/ReeltagModule.cmake, tried on small generated projects."""
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(sample LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
list(APPEND CMAKE_MODULE_PATH "{root}/cmake")
add_library(reeltag_warnings INTERFACE)
target_compile_options(reeltag_warnings INTERFACE -Wall -Werror)
include(ReeltagModule)
{modules}
"""


class Layering(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="reeltag-layering-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.modules = []

    def module(self, name, arguments="", source=""):
        """Adds a module with a public header that declares `int <name>_value();` and a source that defines it."""
        here = self.folder / name
        (here / "include" / "reeltag").mkdir(parents=True)
        (here / "include" / "reeltag" / f"{name}.hpp").write_text(f"#pragma once\nint {name}_value();\n")
        (here / f"{name}.cpp").write_text(
            f'#include "reeltag/{name}.hpp"\n{source}\nint {name}_value() {{ return 1; }}\n')
        (here / "CMakeLists.txt").write_text(f"reeltag_module(NAME {name} SOURCES {name}.cpp {arguments})\n")
        self.modules.append(name)

    def configure(self, *options):
        text = PROJECT.format(root=ROOT, modules="\n".join(f"add_subdirectory({name})" for name in self.modules))
        (self.folder / "CMakeLists.txt").write_text(text)
        return self.call("cmake", "-S", self.folder, "-B", self.folder / "build", "-G", "Ninja", *options)

    def build(self, *targets):
        return self.call("ninja", "-C", self.folder / "build", *targets)

    def call(self, *command):
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)
        return done.returncode, " ".join(done.stdout.split())

    def assert_passes(self, result):
        self.assertEqual(result[0], 0, result[1])

    def assert_fails(self, result, message):
        self.assertNotEqual(result[0], 0, result[1])
        self.assertIn(message, result[1])

    def test_a_link_to_an_earlier_module_passes(self):
        self.module("base")
        self.module("media", "LINK base", '#include "reeltag/base.hpp"\nint twice() { return 2 * base_value(); }')
        self.assert_passes(self.configure())
        self.assert_passes(self.build())

    def test_a_back_edge_fails_at_configure(self):
        for keyword in ("LINK", "LINK_PRIVATE"):
            with self.subTest(keyword=keyword):
                self.setUp()
                self.module("base", f"{keyword} media")
                self.module("media")
                self.assert_fails(self.configure(), "back edge, module 'base' may not link 'media'")

    def test_a_link_to_itself_fails_at_configure(self):
        self.module("base", "LINK base")
        self.assert_fails(self.configure(), "back edge")

    def test_an_undeclared_include_fails_at_compile(self):
        self.module("base")
        self.module("media", "", '#include "reeltag/base.hpp"\n')
        self.assert_passes(self.configure())
        self.assert_fails(self.build(), "reeltag/base.hpp: No such file or directory")

    def test_a_private_link_does_not_reach_the_next_module(self):
        self.module("base")
        self.module("media", "LINK_PRIVATE base", '#include "reeltag/base.hpp"\n')
        self.module("tag", "LINK media", '#include "reeltag/media.hpp"\n#include "reeltag/base.hpp"\n')
        self.assert_passes(self.configure())
        self.assert_passes(self.build("reeltag_media"))
        self.assert_fails(self.build(), "reeltag/base.hpp: No such file or directory")

    def test_an_unknown_module_fails_at_configure(self):
        self.module("sixteenth")
        self.assert_fails(self.configure(), "module 'sixteenth' is not in REELTAG_LAYERS")

    def test_a_link_to_an_unknown_module_fails_at_configure(self):
        self.module("base", "LINK somewhere")
        self.assert_fails(self.configure(), "one of them is not in REELTAG_LAYERS")

    def test_a_public_header_that_needs_another_include_fails_alone(self):
        self.module("base")
        header = self.folder / "base" / "include" / "reeltag" / "base.hpp"
        header.write_text("#pragma once\nstd::string base_text();\nint base_value();\n")
        (self.folder / "base" / "base.cpp").write_text(
            '#include <string>\n#include "reeltag/base.hpp"\nint base_value() { return 1; }\n')
        self.assert_passes(self.configure("-DCMAKE_VERIFY_INTERFACE_HEADER_SETS=ON"))
        self.assert_passes(self.build())
        self.assert_fails(self.build("all_verify_interface_header_sets"), "string")

    def test_without_torch_its_modules_and_their_users_are_left_out(self):
        self.module("base")
        self.module("model_mvit", "TORCH LINK base")
        self.module("train", "LINK model_mvit")
        self.module("registry", "LINK base")
        self.assert_passes(self.configure("-DREELTAG_WITH_TORCH=OFF"))
        status, targets = self.call("ninja", "-C", self.folder / "build", "-t", "targets", "all")
        self.assertEqual(status, 0)
        self.assertIn("libreeltag_registry.a", targets)
        self.assertNotIn("libreeltag_model_mvit.a", targets)
        self.assertNotIn("libreeltag_train.a", targets)


if __name__ == "__main__":
    unittest.main()

"""Every rule of tools/lint.py finds a bad sample and passes a good one."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import lint  # noqa: E402

HEADER = "// A thing. Thread-safe.\n#pragma once\n"
MARKER = "TO" + "DO"
HOME = "/ho" + "me/ann/clips"


def rules(path, text):
    return [rule for _, rule, _ in lint.check_file(path, text)]


class Lint(unittest.TestCase):
    def test_a_clean_header_and_source_pass(self):
        self.assertEqual(rules("foundation/base/include/reeltag/base.hpp", HEADER + "int f();\n"), [])
        self.assertEqual(rules("foundation/base/base.cpp", "int f() { return 1; }\n"), [])

    def test_bad_samples(self):
        samples = [
            ("length", "app/a.cpp", "int x;\n" * 501),
            ("unfinished", "app/a.cpp", f"// {MARKER}: later\n"),
            ("unfinished", "docs/a.md", f"{MARKER}\n"),
            ("placeholder", "docs/a.md", "A round takes SECO" "NDS s.\n"),
            ("placeholder", "README.md", "It finds PERCE" "NT% of them.\n"),
            ("placeholder", "docs/a.md", "The figure is TB" "D.\n"),
            ("placeholder", "docs/a.md", "Measured on ??" "?.\n"),
            ("placeholder", "docs/a.md", "It takes <SECO" "NDS>.\n"),
            ("path", "app/a.cpp", f'auto p = "{HOME}";\n'),
            ("path", "docs/a.md", f"see {HOME}\n"),
            ("ascii", "app/a.cpp", 'auto s = "\u00e9";\n'),
            ("pragma-once", "app/a.hpp", "// A thing.\nint f();\n"),
            ("header-comment", "app/a.hpp", "#pragma once\n"),
            ("using-namespace", "app/a.hpp", HEADER + "using namespace std;\n"),
            ("prints", "foundation/base/a.cpp", 'void f() { std::cout << 1; }\n'),
            ("prints", "stages/tag/a.cpp", 'void f() { printf("x"); }\n'),
            ("prints", "stages/tag/a.cpp", "void f() { std::exit(1); }\n"),
            ("prints", "stages/tag/a.cpp", "void f() { abort(); }\n"),
            ("torch", "foundation/media/a.cpp", "#include <torch/torch.h>\n"),
            ("torch", "foundation/model/mvit/include/reeltag/a.hpp", HEADER + "#include <ATen/ATen.h>\n"),
            ("disabled", "app/a_test.cpp", "TEST(A, DISABLED_B) {}\n"),
            ("newline", "app/a.cpp", "int x;"),
        ]
        for rule, path, text in samples:
            with self.subTest(rule=rule, path=path):
                self.assertEqual(rules(path, text), [rule])

    def test_what_only_looks_like_a_finding_passes(self):
        samples = [
            ("foundation/base/a.cpp", '// std::cout is for the app\nauto s = "exit(1)";\n'),
            ("foundation/base/a_test.cpp", "void f() { std::cout << 1; }\n"),
            ("app/main.cpp", "int main() { std::cout << 1; }\n"),
            ("foundation/base/a.cpp", "void f() { process.exit(1); snprintf(b, 1, c); }\n"),
            ("foundation/model/mvit/a.cpp", "#include <torch/torch.h>\n"),
            ("foundation/model/mvit/include/reeltag/a.hpp", HEADER + "#include <ATen/core/Tensor.h>\n"),
            ("docs/a.md", "Give `SECONDS` s, `--limit COUNT MB`; it took 3 CPU s.\n```\nwait SECONDS s\n```\n    sleep SECONDS s\n"),
            ("docs/a.md", "caf\u00e9\n"),
            ("stages/collect/a_test.cpp", 'auto s = "\u00e9";\n'),
            ("app/a.cpp", f"// https://example.org{HOME}\n"),
        ]
        for path, text in samples:
            with self.subTest(path=path, text=text):
                self.assertEqual(rules(path, text), [])

    def test_a_finding_can_be_allowed_on_its_line_or_in_its_file(self):
        self.assertEqual(rules("app/a.cpp", 'auto s = "\u00e9";  // lint: allow(ascii)\n'), [])
        self.assertEqual(rules("app/a.cpp", '// lint: allow-file(ascii)\nauto s = "\u00e9";\n'), [])
        self.assertEqual(rules("app/a.cpp", 'auto s = "\u00e9";  // lint: allow(path)\n'), ["ascii"])

    def test_size_limit_is_wider_for_models(self):
        self.assertTrue(lint.check_size("docs/picture.png", 3_000_000))
        self.assertFalse(lint.check_size("models/starter.safetensors", 19_000_000))
        self.assertTrue(lint.check_size("models/starter.safetensors", 21_000_000))


if __name__ == "__main__":
    unittest.main()

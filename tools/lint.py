#!/usr/bin/env python3
"""The tree's own rules, those that neither the compiler nor clang-tidy knows: tools/lint.py [ROOT]

A line that must break a rule says so: `lint: allow(rule)` in a comment on that line, or `lint: allow-file(rule)` anywhere
in the file.
"""
import pathlib
import re
import sys

import harness

MAX_LINES = 500
MAX_BYTES = 2_000_000
MAX_MODEL_BYTES = 20_000_000
CODE = (".cpp", ".hpp", ".py", ".sh", ".cmake", ".ts", ".tsx", ".mjs", ".css")
TEXT = (*CODE, ".txt", ".md", ".json", ".yaml", ".yml", ".sql")
LIBRARIES = ("foundation/", "stages/")
# Torch is dear to compile and stays where tensors are (docs/architecture.md), one step finer than the link rule.
TORCH_PLACES = ("foundation/model/", "stages/train/", "stages/evaluate/", "stages/tag/", "app/", "bench/", "tests/")

PRINTS = re.compile(r"\bstd::(?:cout|cerr|clog|print|println)\b|(?<![\w.:>])(?:std::)?(?:printf|puts|putchar|fputs|"
                    r"exit|_exit|quick_exit|abort|terminate)\s*\(|\bfprintf\s*\(\s*std(?:out|err)\b")
TORCH_INCLUDE = re.compile(r'#include\s*[<"](?:torch|ATen|c10)/')
# /home/me and /home/user are examples.
DEVELOPER_PATH = re.compile(r"(?<![\w.$}~-])/(?:home|Users|root|work)/(?!me\b|user\b)[\w.-]")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b|\bnot implemen" r"ted\b")

# What a text still waits for: a word that says so, or a word in capitals where a figure belongs ("takes SECONDS s").
PLACEHOLDER = re.compile(r"\b(?:TB[ACD]|LOREM|PLACEHOLDER)\b|\?\?\?|\b(?!CPU\b)[A-Z]{3,}\b(?= (?:s|ms|min|h|kB|MB|GB|B|videos|%)(?:\W|$))|"
                         r"\b[A-Z]{3,}%|[<\[{](?:FIGURE|NUMBER|VALUE|SECONDS|DATE)[>\]}]")


def is_test(path):
    return path.endswith(("_test.cpp", "_bench.cpp")) or "/test_support/" in path or path.startswith("tests/")


def code_without_comments(line):
    """Good enough for one-line rules: strings and // comments are removed."""
    line = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line)
    return line.split("//", 1)[0]


def check_lines(path, lines):
    """(line number, rule, message) for rules that look at one line."""
    cpp = path.endswith((".cpp", ".hpp"))
    library = cpp and path.startswith(LIBRARIES) and not is_test(path)
    public = "/include/" in path and path.endswith(".hpp")
    for number, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            yield number, "unfinished", "finish it, or write it down where plans live"
        if DEVELOPER_PATH.search(line):
            yield number, "path", "an absolute path of one machine"
        # Tests may show emoji and scripts as people type them.
        if path.endswith(CODE) and not line.isascii() and not is_test(path):
            yield number, "ascii", "sources are ASCII (use \\u escapes)"
        if not cpp:
            continue
        code = code_without_comments(line)
        if path.endswith(".hpp") and re.search(r"\busing\s+namespace\b", code):
            yield number, "using-namespace", "a header must not open a namespace for its includers"
        if library and PRINTS.search(code):
            yield number, "prints", "libraries never print, exit or abort: log, throw or return a Result"
        if TORCH_INCLUDE.search(line):
            if not path.startswith(TORCH_PLACES):
                yield number, "torch", f"torch headers belong in {', '.join(TORCH_PLACES[:4])}"
            elif public and "<ATen/core/Tensor.h>" not in line:
                yield number, "torch", "a public header includes <ATen/core/Tensor.h> at most"
        if re.search(r"\bDISABLED_\w", code):
            yield number, "disabled", "a disabled test tests nothing: mend or delete it"


def check_prose(lines):
    """Placeholders in a Markdown text; code in it may name arguments in capitals."""
    fenced = False
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced and not line.startswith("    ") and (found := PLACEHOLDER.search(re.sub(r"`[^`]*`", "", line))):
            yield number, "placeholder", f"\"{found.group()}\" stands where a fact belongs"


def check_file(path, text):
    """(line number, rule, message) for everything wrong with the file."""
    lines = text.splitlines()
    findings = list(check_lines(path, lines))
    if path.endswith(CODE) and len(lines) > MAX_LINES:
        findings.append((len(lines), "length", f"{len(lines)} lines, at most {MAX_LINES}: split it"))
    if path.endswith(".md"):
        findings += check_prose(lines)
    if path.endswith(".hpp"):
        if "#pragma once" not in lines:
            findings.append((1, "pragma-once", "a header needs #pragma once"))
        if not lines or not lines[0].startswith("//"):
            findings.append((1, "header-comment", "a header opens with a comment: purpose, threads, ownership, failure"))
    if text and not text.endswith("\n") and not path.endswith(".json"):
        findings.append((len(lines), "newline", "the last line needs a newline"))
    return [finding for finding in findings if not allowed(lines, text, finding)]


def allowed(lines, text, finding):
    number, rule, _ = finding
    return f"lint: allow-file({rule})" in text or (
        0 < number <= len(lines) and f"lint: allow({rule})" in lines[number - 1])


def check_size(path, size):
    limit = MAX_MODEL_BYTES if path.endswith(".safetensors") else MAX_BYTES
    return [(1, "size", f"{size / 1e6:.1f} MB, at most {limit / 1e6:.0f}")] if size > limit else []


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent)
    count = 0
    for path in harness.tracked(root):
        file = root / path
        findings = check_size(path, file.stat().st_size)
        if path.endswith(TEXT) or path in ("run", "test", ".ci/run"):
            try:
                findings += check_file(path, file.read_text(encoding="utf-8"))
            except UnicodeDecodeError:
                findings.append((1, "utf-8", "not UTF-8"))
        for number, rule, message in findings:
            print(f"{path}:{number}: {rule}: {message}")
        count += len(findings)
    if count:
        print(f"{count} findings")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Lines of mutate_media on stdin as a Markdown table on stdout."""
import json
import sys

print("| clip | damaged | decoded | refused, by code | without a reason | late | longest, ms | worker's peak, MB |")
print("|---|---|---|---|---|---|---|---|")
for text in sys.stdin:
    line = json.loads(text)
    refused = ", ".join(f"{code} {n}" for code, n in sorted(line["refused"].items(), key=lambda item: -item[1])) or "none"
    print(f"| {line['clip']} | {line['mutations']} | {line['decoded']} | {refused} | {line['unnamed']} | {line['late']} | "
          f"{line['longest_ms']:.0f} | {line['worker_peak_mb']:.0f} |", flush=True)

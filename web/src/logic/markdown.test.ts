import assert from "node:assert/strict";
import { test } from "node:test";
import { inline, parse, safeHref } from "./markdown.ts";

test("the blocks of a card", () => {
  const blocks = parse(
    "# Card\n\n**What.** One\nline.\n\n- a\n  goes on\n- `b`\n\n1. c\n\n| x | y |\n|---|---|\n| 1 | a\\|b |\n\n" +
      "    code\n\n```sh\nrun # not a heading\n```\n---\n",
  );
  assert.deepEqual(
    blocks.map((block) => block.kind),
    ["heading", "paragraph", "list", "list", "table", "code", "code", "rule"],
  );
  assert.deepEqual(blocks[1], {
    kind: "paragraph",
    children: [
      { kind: "strong", children: [{ kind: "text", text: "What." }] },
      { kind: "text", text: " One line." },
    ],
  });
  assert.deepEqual(blocks[2], {
    kind: "list",
    ordered: false,
    items: [[{ kind: "text", text: "a goes on" }], [{ kind: "code", text: "b" }]],
  });
  assert.equal(blocks[3]?.kind === "list" && blocks[3].ordered, true);
  const table = blocks[4];
  assert.deepEqual(table?.kind === "table" && table.rows, [
    [[{ kind: "text", text: "1" }], [{ kind: "text", text: "a|b" }]],
  ]);
  assert.deepEqual(blocks[6], { kind: "code", text: "run # not a heading" });
});

test("markup stays text, and only the web's own links are links", () => {
  assert.deepEqual(parse("<img src=x onerror=alert(1)>"), [
    { kind: "paragraph", children: [{ kind: "text", text: "<img src=x onerror=alert(1)>" }] },
  ]);
  assert.deepEqual(
    inline("[a](javascript:alert(1))").some((one) => one.kind === "link"),
    false,
  );
  assert.deepEqual(inline("[the licence](LICENSE.md)"), [{ kind: "text", text: "the licence" }]);
  assert.deepEqual(inline("[a](https://example.org/?q=1)"), [
    { kind: "link", href: "https://example.org/?q=1", children: [{ kind: "text", text: "a" }] },
  ]);
  for (const href of ["JavaScript:x", "data:text/html,x", "//example.org", "/v1/session", 'https://a"b'])
    assert.equal(safeHref(href), undefined);
});

test("any text ends, and none is lost or repeated", () => {
  for (const text of ["**", "`", "[", "[]()", "*a", "a * b * c", "|", "|\n|-", "```", "-", "#", "1.", "    ", "\n\n"])
    parse(text);
  const long = "*a ".repeat(20_000);
  assert.equal(JSON.stringify(parse(long)).includes("*a *a"), true);
});

test("cards made by chance give nothing but what a card may have", () => {
  const parts = ["[", "](", ")", "*", "**", "_", "`", "```", "\n", "\n\n", "|", "|-|-|", "# ", "- ", "1. ", "    ", "<script>", "&#106;",
    "javascript:", "JAVA\tSCRIPT:", "data:text/html,", "https://a.example/", "//b", "\u0000", "\u202e", "x", " ", "\\"];
  const kinds = new Set(["heading", "paragraph", "list", "table", "code", "rule", "text", "strong", "em", "link"]);
  const check = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(check);
    if (value === null || typeof value !== "object") return;
    const one = value as { kind?: string; href?: string };
    if (one.kind !== undefined) assert.ok(kinds.has(one.kind), one.kind);
    if (one.href !== undefined) assert.match(one.href, /^https?:\/\/[^"\s]+$/);
    Object.values(value).forEach(check);
  };
  let seed = 20261201; // the same texts each time: mulberry32
  const random = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  for (let round = 0; round < 20_000; round += 1) {
    const text = Array.from({ length: 1 + Math.floor(random() * 30) }, () => parts[Math.floor(random() * parts.length)]).join("");
    check(parse(text));
  }
});

// The Markdown of model cards and policies, as a tree of plain values: headings, paragraphs, lists, tables, code, rules
// and within them strong, em, code and links. HTML stays the text it is; nothing here makes markup.

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "code"; text: string }
  | { kind: "strong" | "em"; children: Inline[] }
  | { kind: "link"; href: string; children: Inline[] };

export type Block =
  | { kind: "heading"; level: number; children: Inline[] }
  | { kind: "paragraph"; children: Inline[] }
  | { kind: "list"; ordered: boolean; items: Inline[][] }
  | { kind: "table"; head: Inline[][]; rows: Inline[][][] }
  | { kind: "code"; text: string }
  | { kind: "rule" };

// Only what opens a page elsewhere. Links within a repository lead nowhere from here and stay text.
export function safeHref(href: string): string | undefined {
  return /^https?:\/\/[^\s"'<>]+$/i.test(href) ? href : undefined;
}

const INLINE = /`([^`]+)`|\*\*(.+?)\*\*|\[([^\]]*)\]\(([^)\s]*)\)|\*([^*\s](?:[^*]*[^*\s])?)\*/;

export function inline(text: string): Inline[] {
  const out: Inline[] = [];
  let rest = text;
  for (let found = INLINE.exec(rest); found; found = INLINE.exec(rest)) {
    if (found.index > 0) out.push({ kind: "text", text: rest.slice(0, found.index) });
    const [whole, code, strong, label, href, em] = found;
    if (code !== undefined) out.push({ kind: "code", text: code });
    else if (strong !== undefined) out.push({ kind: "strong", children: inline(strong) });
    else if (em !== undefined) out.push({ kind: "em", children: inline(em) });
    else out.push(...link(label ?? "", href ?? ""));
    rest = rest.slice(found.index + whole.length);
  }
  if (rest) out.push({ kind: "text", text: rest });
  return out;
}

function link(label: string, href: string): Inline[] {
  const safe = safeHref(href);
  return safe ? [{ kind: "link", href: safe, children: inline(label) }] : inline(label);
}

const LIST = /^\s{0,3}(?:[-*+]|(\d+)[.)])\s+(.*)$/;
const RULE = /^\s{0,3}(?:-{3,}|\*{3,}|_{3,})\s*$/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;

function cells(line: string): Inline[][] {
  return line
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => inline(cell.trim().replaceAll("\\|", "|")));
}

function isTable(lines: readonly string[], at: number): boolean {
  return (
    /^\s*\|/.test(lines[at] ?? "") &&
    /^\s*\|?[\s:|-]*-[\s:|-]*$/.test(lines[at + 1] ?? "") &&
    (lines[at + 1] ?? "").includes("|")
  );
}

function beginsBlock(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? "";
  return (
    line.trim() === "" ||
    HEADING.test(line) ||
    LIST.test(line) ||
    RULE.test(line) ||
    line.startsWith("```") ||
    isTable(lines, at)
  );
}

class Reader {
  at = 0;
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    this.lines = lines;
  }

  blocks(): Block[] {
    const out: Block[] = [];
    while (this.at < this.lines.length) {
      const line = this.lines[this.at] ?? "";
      if (line.trim() === "") this.at += 1;
      else out.push(this.#block(line));
    }
    return out;
  }

  #block(line: string): Block {
    if (line.startsWith("```")) return this.#fence();
    if (RULE.test(line)) {
      this.at += 1;
      return { kind: "rule" };
    }
    const heading = HEADING.exec(line);
    if (heading) {
      this.at += 1;
      return { kind: "heading", level: heading[1]?.length ?? 1, children: inline(heading[2] ?? "") };
    }
    if (isTable(this.lines, this.at)) return this.#table();
    if (LIST.test(line)) return this.#list();
    if (/^ {4}/.test(line)) return this.#indented();
    return { kind: "paragraph", children: inline(this.#joined([line.trim()])) };
  }

  // The line that is being read and those that go on with it, as one.
  #joined(text: string[]): string {
    this.at += 1;
    while (this.at < this.lines.length && !beginsBlock(this.lines, this.at)) {
      text.push((this.lines[this.at] ?? "").trim());
      this.at += 1;
    }
    return text.join(" ");
  }

  #fence(): Block {
    const text: string[] = [];
    for (this.at += 1; this.at < this.lines.length && !this.lines[this.at]?.startsWith("```"); this.at += 1) {
      text.push(this.lines[this.at] ?? "");
    }
    this.at += 1;
    return { kind: "code", text: text.join("\n") };
  }

  #indented(): Block {
    const text: string[] = [];
    while (/^ {4}/.test(this.lines[this.at] ?? "")) {
      text.push((this.lines[this.at] ?? "").slice(4));
      this.at += 1;
    }
    return { kind: "code", text: text.join("\n") };
  }

  #list(): Block {
    const ordered = LIST.exec(this.lines[this.at] ?? "")?.[1] !== undefined;
    const items: Inline[][] = [];
    for (let found = LIST.exec(this.lines[this.at] ?? ""); found; found = LIST.exec(this.lines[this.at] ?? "")) {
      items.push(inline(this.#joined([found[2] ?? ""])));
    }
    return { kind: "list", ordered, items };
  }

  #table(): Block {
    const head = cells(this.lines[this.at] ?? "");
    const rows: Inline[][][] = [];
    for (this.at += 2; /^\s*\|/.test(this.lines[this.at] ?? ""); this.at += 1)
      rows.push(cells(this.lines[this.at] ?? ""));
    return { kind: "table", head, rows };
  }
}

export function parse(text: string): Block[] {
  return new Reader(text.split(/\r?\n/)).blocks();
}

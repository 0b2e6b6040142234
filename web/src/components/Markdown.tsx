// Markdown as elements made one by one: whatever the text says, it can become nothing else (logic/markdown.ts).
import type { ComponentChild } from "preact";
import { type Block, type Inline, parse } from "../logic/markdown.ts";
import { t } from "../strings.ts";

function Words({ of }: { of: Inline[] }) {
  return <>{of.map(word)}</>;
}

function word(one: Inline, key: number): ComponentChild {
  switch (one.kind) {
    case "text":
      return one.text;
    case "code":
      return <code key={key}>{one.text}</code>;
    case "strong":
      return (
        <strong key={key}>
          <Words of={one.children} />
        </strong>
      );
    case "em":
      return (
        <em key={key}>
          <Words of={one.children} />
        </em>
      );
    case "link":
      return (
        <a key={key} href={one.href} rel="noopener noreferrer nofollow" target="_blank">
          <Words of={one.children} />
        </a>
      );
  }
}

function Table({ head, rows }: Extract<Block, { kind: "table" }>) {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={t.table}>
      <table>
        <thead>
          <tr>
            {head.map((cell, i) => (
              <th key={i} scope="col">
                <Words of={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i}>
              {row.map((cell, j) => (
                <td key={j}>
                  <Words of={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// `under` is the level of the heading above: the text's first level comes right below it.
function block(one: Block, key: number, under: number): ComponentChild {
  switch (one.kind) {
    case "heading": {
      const Heading = `h${Math.min(6, under + one.level)}` as "h3";
      return (
        <Heading key={key}>
          <Words of={one.children} />
        </Heading>
      );
    }
    case "paragraph":
      return (
        <p key={key}>
          <Words of={one.children} />
        </p>
      );
    case "list": {
      const List = one.ordered ? "ol" : "ul";
      return (
        <List key={key}>
          {one.items.map((item, i) => (
            <li key={i}>
              <Words of={item} />
            </li>
          ))}
        </List>
      );
    }
    case "table":
      return <Table key={key} {...one} />;
    case "code":
      return (
        <pre key={key} tabIndex={0}>
          <code>{one.text}</code>
        </pre>
      );
    case "rule":
      return <hr key={key} />;
  }
}

export function Markdown({ text, under }: { text: string; under: number }) {
  return <div class="prose">{parse(text).map((one, key) => block(one, key, under))}</div>;
}

// Views by path, with the History API. The server answers every path here with the same page.
import type { ComponentChildren } from "preact";
import { addressOf, pathOf } from "./base.ts";
import { Store } from "./store.ts";

export interface Place {
  path: string;
  query: URLSearchParams;
}

const here = (): Place => ({ path: pathOf(location.pathname), query: new URLSearchParams(location.search) });
export const place = new Store<Place>(here());

addEventListener("popstate", () => place.set(here()));

export function go(to: string, how: "push" | "replace" = "push"): void {
  if (how === "replace") history.replaceState(null, "", addressOf(to));
  else history.pushState(null, "", addressOf(to));
  place.set(here());
  if (how === "push") scrollTo(0, 0);
}

// A path with these values in its query, without empty ones.
export function withQuery(path: string, values: Record<string, string | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value) query.set(name, value);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

export interface LinkProps {
  href: string;
  children: ComponentChildren;
  class?: string;
  title?: string;
  "aria-label"?: string;
  "aria-current"?: "page" | "true" | undefined;
}

export function Link({ href, children, ...rest }: LinkProps) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(href);
  };
  return (
    <a href={addressOf(href)} onClick={follow} {...rest}>
      {children}
    </a>
  );
}

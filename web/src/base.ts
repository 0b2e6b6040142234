// Where the page is: "/", or below the path that a proxy gives it ("/tags/"). Addresses in the program are written from the
// root of reeltag, "/v1/videos" or "/library", and become those of the browser here.

// The scripts are one folder below the page: assets/ when built, src/ while developing.
const BASE = new URL("../", import.meta.url).pathname;

export function addressOf(path: string): string {
  return BASE + path.replace(/^\//, "");
}

// The other way: what the browser shows, as the program calls it.
export function pathOf(address: string): string {
  return address.startsWith(BASE) ? `/${address.slice(BASE.length)}` : address;
}

// The document's own links are relative to the address that was loaded; the address changes with each view.
export function fixLinks(): void {
  for (const link of document.querySelectorAll("link")) link.setAttribute("href", link.href);
}

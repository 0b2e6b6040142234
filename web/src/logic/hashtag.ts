// How hashtags are compared, as the server does it (foundation/hashtag); both read the same test vectors. Pure.

const PASSES = 4; // folding can undo the normal form, and the other way round
const MAX_BYTES = 1024;

// Upper case in between: the sharp s and the ligatures have no lower case of their own. Letter by letter: the lower case
// of a sigma in a word depends on its place. The Turkish dotless i is an "i", as is the dotted one.
const foldCharacter = (c: string): string =>
  c === "\u0131" ? "i" : [...c.toLowerCase().toUpperCase()].map((one) => one.toLowerCase()).join("");

// NFKC and case folding, until nothing changes.
export function foldHashtag(typed: string): string {
  let text = typed;
  for (let pass = 0; pass < PASSES; ++pass) {
    const folded = [...text.normalize("NFKC")].map(foldCharacter).join("").replaceAll("i\u0307", "i").normalize("NFKC");
    if (folded === text) break;
    text = folded;
  }
  return text;
}

// Without leading "#" and the space around, each run of space inside as one. Empty: no hashtag.
export function normalizeHashtag(typed: string): string {
  if (new TextEncoder().encode(typed).length > MAX_BYTES || typed.includes("\ufffd")) return "";
  return foldHashtag(typed)
    .replace(/^[#\s\p{Cc}]+|[\s\p{Cc}]+$/gu, "")
    .replace(/[\s\p{Cc}]+/gu, " ");
}

export function sameHashtag(a: string, b: string): boolean {
  return normalizeHashtag(a) === normalizeHashtag(b);
}

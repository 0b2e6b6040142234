// Which hashtags are shown, in which order, and what is copied. Pure.
import { sameHashtag } from "./hashtag.ts";
import type { Feedback, Tag, Verdict } from "../api.ts";

// Where a tag comes without the model's own threshold.
export const USUAL_THRESHOLD = 0.5;
// The slider's middle: each hashtag's own threshold, as the model chose it.
export const MODELS_CHOICE = 0.5;

export function thresholdOf(tag: Tag): number {
  return tag.threshold ?? USUAL_THRESHOLD;
}

// The score that a hashtag needs at a position of the slider: 0 shows all, the middle what the model is sure of, 1 only
// certainty. Straight lines between, so that moving to the right never brings a hashtag back.
export function limitAt(position: number, threshold: number): number {
  const p = Math.min(1, Math.max(0, position));
  if (p <= MODELS_CHOICE) return threshold * (p / MODELS_CHOICE);
  return threshold + (1 - threshold) * ((p - MODELS_CHOICE) / (1 - MODELS_CHOICE));
}

export function shownAt(tags: readonly Tag[], position: number): Tag[] {
  return tags.filter((tag) => tag.score >= limitAt(position, thresholdOf(tag))).sort(bySureness);
}

// Equal ones keep the server's order: sorting is stable.
export function bySureness(a: Tag, b: Tag): number {
  return b.score - a.score;
}

// What people type, as one word without its signs: " #Street Food " is StreetFood. Empty: no hashtag.
export function cleanHashtag(text: string): string {
  const word = text.normalize("NFC").replace(/[#\s\p{Cc}]+/gu, "");
  return [...word].slice(0, 200).join("");
}

export function verdictOn(feedback: readonly Feedback[], hashtag: string): Verdict | undefined {
  return feedback.find((said) => sameHashtag(said.hashtag, hashtag))?.verdict;
}

export function withVerdict(feedback: readonly Feedback[], hashtag: string, verdict: Verdict | undefined): Feedback[] {
  const others = feedback.filter((said) => !sameHashtag(said.hashtag, hashtag));
  return verdict ? [...others, { hashtag, verdict }] : others;
}

export interface Chosen {
  shown: Tag[]; // by falling score, without rejected ones; accepted ones whatever the slider says
  rejected: string[];
  added: string[]; // that the model did not say
}

export function choose(tags: readonly Tag[], feedback: readonly Feedback[], position: number): Chosen {
  const said = (tag: Tag) => verdictOn(feedback, tag.hashtag);
  const sure = new Set(shownAt(tags, position));
  const shown = tags.filter((tag) => {
    const verdict = said(tag);
    return verdict !== "reject" && (sure.has(tag) || verdict === "accept" || verdict === "add");
  });
  const known = (hashtag: string) => tags.some((tag) => sameHashtag(tag.hashtag, hashtag));
  return {
    shown: shown.sort(bySureness),
    rejected: feedback.filter((f) => f.verdict === "reject").map((f) => f.hashtag),
    added: feedback.filter((f) => f.verdict !== "reject" && !known(f.hashtag)).map((f) => f.hashtag),
  };
}

// Ready to paste into a caption.
export function copyText(chosen: Chosen): string {
  return [...chosen.shown.map((tag) => tag.hashtag), ...chosen.added].map((hashtag) => `#${hashtag}`).join(" ");
}

export interface Placed {
  start: number;
  end: number;
  left: number; // percent of the video
  width: number;
}

// Segments on a track of 100 percent; what is out of the video is cut off, and each is wide enough to be hit.
export function place(segments: Tag["segments"], duration: number, least = 1.5): Placed[] {
  if (!(duration > 0)) return [];
  return segments
    .map(([start, end]) => [Math.max(0, start), Math.min(duration, end)] as const)
    .filter(([start, end]) => end > start)
    .sort((a, b) => a[0] - b[0])
    .map(([start, end]) => {
      const width = Math.max(least, ((end - start) / duration) * 100);
      return { start, end, left: Math.min(100 - width, (start / duration) * 100), width };
    });
}

export interface Compared {
  both: string[];
  typed: string[]; // by people only
  seen: string[]; // by the model only
}

export function compare(typed: readonly string[], seen: readonly string[]): Compared {
  const has = (list: readonly string[], name: string) => list.some((other) => sameHashtag(other, name));
  return {
    both: typed.filter((name) => has(seen, name)),
    typed: typed.filter((name) => !has(seen, name)),
    seen: seen.filter((name) => !has(typed, name)),
  };
}

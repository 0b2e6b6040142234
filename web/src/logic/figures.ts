// What an evaluation said, as lines of a table. Pure.
import { percent } from "./format.ts";

// Known figures first and in this order; shares are shown as percent.
const SHARES = ["map", "top1", "top5", "gap20", "hit1", "perr"];
const PLAIN = ["calibration_error", "videos", "split", "dataset"];

export interface Figure {
  name: string; // as the evaluation calls it
  value: string;
  share?: number; // where it is one
}

export function figures(of: Record<string, unknown> | undefined): Figure[] {
  const out: Figure[] = [];
  for (const name of SHARES) {
    const value = of?.[name];
    if (typeof value === "number" && Number.isFinite(value)) out.push({ name, value: percent(value), share: value });
  }
  for (const name of PLAIN) {
    const value = of?.[name];
    if (typeof value === "number" && Number.isFinite(value)) {
      out.push({ name, value: Number.isInteger(value) ? String(value) : value.toFixed(3) });
    } else if (typeof value === "string" && value) out.push({ name, value });
  }
  return out;
}

// Numbers as people read them. Pure; the words are in strings.ts.

export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

// A moment within a short video: tenths of a second tell neighbouring moments apart.
export function moment(seconds: number): string {
  const tenths = Math.max(0, Math.round(seconds * 10));
  const rest = (tenths % 600) / 10;
  return `${Math.floor(tenths / 600)}:${rest < 10 ? "0" : ""}${rest.toFixed(1)}`;
}

export function span([start, end]: readonly [number, number]): string {
  return `${moment(start)}\u2013${moment(end)}`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

export function bytes(count: number): string {
  let value = Math.max(0, count);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

export function percent(share: number): string {
  const value = Math.round(Math.min(1, Math.max(0, share)) * 100);
  // What is not certain is never called 100 %.
  if (value === 100 && share < 1) return "99\u00a0%";
  if (value === 0 && share > 0) return "<1\u00a0%";
  return `${value}\u00a0%`;
}

// Seconds left, coarse, so that it does not flicker: 3 s, 40 s, 5 min, 2 h.
export function remaining(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 10) return `${Math.max(1, Math.ceil(seconds))} s`;
  if (seconds < 60) return `${Math.ceil(seconds / 5) * 5} s`;
  if (seconds < 3600) return `${Math.ceil(seconds / 60)} min`;
  return `${Math.ceil(seconds / 3600)} h`;
}

export function date(secondsSince1970: number): string {
  return new Date(secondsSince1970 * 1000).toISOString().slice(0, 16).replace("T", " ");
}

// Which of so many equal parts of a video a moment lies in, from 1 on.
export function partAt(seconds: number, duration: number, parts: number): number {
  if (!(duration > 0)) return 1;
  return Math.min(parts, Math.max(1, 1 + Math.floor((seconds / duration) * parts)));
}

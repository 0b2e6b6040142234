// Light, dark or the system's, remembered; public/theme.js applies it before the first paint.
import { Store } from "./store.ts";

export type Theme = "system" | "light" | "dark";
const KEY = "reeltag.theme";
const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };

function remembered(): Theme {
  const theme = document.documentElement.dataset["theme"];
  return theme === "light" || theme === "dark" ? theme : "system";
}

export const theme = new Store<Theme>(remembered());

export function nextTheme(): void {
  const chosen = NEXT[theme.value];
  if (chosen === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
  try {
    if (chosen === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, chosen);
  } catch {
    // Storage is off: it holds for this visit.
  }
  theme.set(chosen);
}

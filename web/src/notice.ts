// One short message at the foot of the page, with a way back where there is one. Screen readers hear it.
import { Store } from "./store.ts";

export interface Notice {
  text: string;
  undo?: () => void;
  bad?: boolean;
}

export const notice = new Store<Notice | undefined>(undefined);
let timer = 0;

export function say(text: string, more: Omit<Notice, "text"> = {}): void {
  clearTimeout(timer);
  notice.set({ text, ...more });
  timer = window.setTimeout(() => notice.set(undefined), more.undo || more.bad ? 8000 : 4000);
}

export function dismiss(): void {
  clearTimeout(timer);
  notice.set(undefined);
}

// A value that views follow, and loading as a hook.
import { useEffect, useState } from "preact/hooks";

export class Store<T> {
  #value: T;
  #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  follow(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

export function useStore<T>(store: Store<T>): T {
  const [value, show] = useState(store.value);
  useEffect(() => {
    show(store.value);
    return store.follow(() => show(store.value));
  }, [store]);
  return value;
}

export interface Loaded<T> {
  value?: T;
  error?: Error;
  again: () => void;
}

// What `load` gives, asked for anew when a key changes; an answer that comes too late is thrown away. The old value
// stays until the new one is there, so that nothing jumps.
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, keys: readonly unknown[]): Loaded<T> {
  const [round, setRound] = useState(0);
  const [state, setState] = useState<{ value?: T; error?: Error }>({});
  useEffect(() => {
    const controller = new AbortController();
    load(controller.signal).then(
      (value) => !controller.signal.aborted && setState({ value }),
      (error: Error) => !controller.signal.aborted && setState({ error }),
    );
    return () => controller.abort();
  }, [...keys, round]);
  return { ...state, again: () => setRound(round + 1) };
}

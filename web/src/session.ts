// Who uses the page, as the server sees it.
import { api, onUnknown, type Session } from "./api.ts";
import { Store } from "./store.ts";

export const session = new Store<Session | undefined>(undefined);
export const unreachable = new Store<Error | undefined>(undefined);

export async function loadSession(): Promise<void> {
  try {
    session.set(await api.session());
    unreachable.set(undefined);
  } catch (error) {
    unreachable.set(error as Error);
  }
}

export async function logIn(token: string): Promise<void> {
  session.set(await api.logIn(token.trim()));
}

export async function logOut(): Promise<void> {
  await api.logOut();
  await loadSession();
}

export function may(scope: Session["scopes"][number]): boolean {
  return session.value?.scopes.includes(scope) ?? false;
}

onUnknown(() => {
  const known = session.value;
  if (known && known.kind !== "none") session.set({ ...known, kind: "none", scopes: [] });
});

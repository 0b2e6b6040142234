import { useId, useState } from "preact/hooks";
import { logIn } from "../session.ts";
import { t } from "../strings.ts";
import { Dialog } from "./Dialog.tsx";
import { Picture } from "./Picture.tsx";

function SignInForm({ onDone }: { onDone: () => void }) {
  const [token, type] = useState("");
  const [busy, work] = useState(false);
  const [error, fail] = useState("");
  const field = useId();
  const send = async (event: Event) => {
    event.preventDefault();
    if (!token.trim() || busy) return;
    work(true);
    fail("");
    try {
      await logIn(token);
      onDone();
    } catch (problem) {
      fail((problem as Error).message);
      work(false);
    }
  };
  return (
    <form class="stack" onSubmit={send}>
      <label class="label" for={field}>
        {t.session.field}
      </label>
      <input
        id={field}
        class="input"
        type="password"
        autocomplete="current-password"
        placeholder={t.session.placeholder}
        value={token}
        onInput={(event) => type(event.currentTarget.value)}
        aria-invalid={error !== ""}
        aria-describedby={`${field}-error`}
      />
      <p id={`${field}-error`} class="field-error" role="alert">
        {error}
      </p>
      <button class="button button-main" type="submit" disabled={busy}>
        {busy ? t.session.busy : t.session.signIn}
      </button>
    </form>
  );
}

export function SignInDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={t.session.dialogTitle} onClose={onClose}>
      <p class="muted">{t.session.dialogText}</p>
      <SignInForm onDone={onClose} />
      <button class="button button-quiet" type="button" onClick={onClose}>
        {t.cancel}
      </button>
    </Dialog>
  );
}

// In place of every view, where the server lets nobody in without a token.
export function Gate() {
  return (
    <div class="gate">
      <Picture of="lock" />
      <h1 class="gate-title" tabIndex={-1}>
        {t.session.gateTitle}
      </h1>
      <p class="muted">{t.session.gateText}</p>
      <SignInForm onDone={() => undefined} />
    </div>
  );
}

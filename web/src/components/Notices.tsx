import { dismiss, notice } from "../notice.ts";
import { useStore } from "../store.ts";
import { t } from "../strings.ts";
import { Icon } from "./Icon.tsx";

// The region is always there: a screen reader reads what comes into it, not what comes with it.
export function Notices() {
  const shown = useStore(notice);
  return (
    <div class="notices" role="status" aria-live="polite">
      {shown && (
        <div class={shown.bad ? "notice notice-bad" : "notice"}>
          <span class="notice-text">{shown.text}</span>
          {shown.undo && (
            <button class="button button-quiet" type="button" onClick={() => (dismiss(), shown.undo?.())}>
              <Icon name="undo" /> {t.result.undo}
            </button>
          )}
          <button class="icon-button" type="button" aria-label={t.close} onClick={dismiss}>
            <Icon name="reject" />
          </button>
        </div>
      )}
    </div>
  );
}

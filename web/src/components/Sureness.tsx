// The slider "How sure?": its middle is what the model chose for each hashtag.
import { useId } from "preact/hooks";
import { MODELS_CHOICE } from "../logic/tags.ts";
import { t } from "../strings.ts";

export interface SurenessProps {
  position: number;
  move: (position: number) => void;
  count: number;
  all: number;
}

export function Sureness({ position, move, count, all }: SurenessProps) {
  const field = useId();
  return (
    <div class="sureness">
      <div class="sureness-head">
        <label for={field}>{t.result.sure}</label>
        <span class="muted">{t.result.count(count, all)}</span>
      </div>
      <input
        id={field}
        class="slider"
        type="range"
        min={0}
        max={1}
        step={0.02}
        value={position}
        aria-valuetext={t.result.sureText(position, count)}
        onInput={(event) => move(event.currentTarget.valueAsNumber)}
      />
      <div class="sureness-ends">
        <span aria-hidden="true">{t.result.sureAll}</span>
        <button type="button" aria-pressed={position === MODELS_CHOICE} onClick={() => move(MODELS_CHOICE)}>
          {t.result.sureChoice}
        </button>
        <span aria-hidden="true">{t.result.sureOnly}</span>
      </div>
    </div>
  );
}

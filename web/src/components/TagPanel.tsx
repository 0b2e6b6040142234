// The hashtags: how sure, which, and what people say of them. Every word of feedback can be taken back.
import { useState } from "preact/hooks";
import { api, type Feedback, type Tag, type Tagged, type Verdict } from "../api.ts";
import { percent } from "../logic/format.ts";
import { type Chosen, cleanHashtag, copyText, verdictOn, withVerdict } from "../logic/tags.ts";
import { say } from "../notice.ts";
import { may } from "../session.ts";
import { t } from "../strings.ts";
import { copy } from "../clipboard.ts";
import { Icon } from "./Icon.tsx";
import { type PlayerHandle, jump } from "./Player.tsx";
import { Sureness } from "./Sureness.tsx";

export interface TagPanelProps {
  tagged: Tagged;
  chosen: Chosen;
  guesses: boolean; // shown because nothing is sure
  position: number;
  move: (position: number) => void;
  feedback: Feedback[];
  setFeedback: (next: (now: Feedback[]) => Feedback[]) => void;
  mark: (hashtag: string | undefined) => void;
  player: PlayerHandle;
}

type Judge = (hashtag: string, verdict: Verdict | undefined, words: string) => void;

// Shown at once, taken back when the server does not keep it.
function judgeWith({ tagged, feedback, setFeedback }: TagPanelProps): Judge {
  const set = async (hashtag: string, verdict: Verdict | undefined, before: Verdict | undefined) => {
    setFeedback((now) => withVerdict(now, hashtag, verdict));
    try {
      if (verdict) await api.giveFeedback(tagged.video, { hashtag, verdict });
      else await api.takeFeedbackBack(tagged.video, hashtag);
      return true;
    } catch (error) {
      setFeedback((now) => withVerdict(now, hashtag, before));
      say((error as Error).message, { bad: true });
      return false;
    }
  };
  return async (hashtag, verdict, words) => {
    const before = verdictOn(feedback, hashtag);
    const undo = () => void set(hashtag, before, verdict).then((kept) => kept && say(t.result.undone));
    if (await set(hashtag, verdict, before)) say(words, { undo });
  };
}

interface ChipProps {
  tag: Tag;
  verdict: Verdict | undefined;
  judge: Judge;
  panel: TagPanelProps;
}

function ActButton(props: { kind: "yes" | "no"; label: string; pressed?: boolean | undefined; act: () => void }) {
  return (
    <button
      class={`chip-act chip-${props.kind}`}
      type="button"
      aria-pressed={props.pressed}
      aria-label={props.label}
      title={props.label}
      onClick={props.act}
    >
      <Icon name={props.kind === "yes" ? "accept" : "reject"} />
    </button>
  );
}

function Judgement({ hashtag, accepted, judge }: { hashtag: string; accepted: boolean; judge: Judge }) {
  const accept = () =>
    accepted
      ? judge(hashtag, undefined, t.result.takenBack(hashtag))
      : judge(hashtag, "accept", t.result.accepted(hashtag));
  const reject = () => judge(hashtag, "reject", t.result.rejected(hashtag));
  return (
    <>
      <ActButton kind="yes" label={t.result.accept(hashtag)} pressed={accepted} act={accept} />
      <ActButton kind="no" label={t.result.reject(hashtag)} act={reject} />
    </>
  );
}

function Chip({ tag, verdict, judge, panel }: ChipProps) {
  const { hashtag } = tag;
  const accepted = verdict === "accept" || verdict === "add";
  const first = tag.segments[0]?.[0];
  return (
    <li
      class={accepted ? "chip chip-accepted" : "chip"}
      onMouseEnter={() => panel.mark(hashtag)}
      onMouseLeave={() => panel.mark(undefined)}
    >
      <span class="chip-fill" style={{ width: `${Math.round(tag.score * 100)}%` }} />
      <button
        class="chip-main"
        type="button"
        aria-label={t.result.jump(hashtag, percent(tag.score))}
        onFocus={() => panel.mark(hashtag)}
        onBlur={() => panel.mark(undefined)}
        onClick={() => first !== undefined && jump(panel.player, first)}
      >
        <span class="chip-tag">#{hashtag}</span> <span class="chip-score">{percent(tag.score)}</span>
      </button>
      {may("write") && <Judgement hashtag={hashtag} accepted={accepted} judge={judge} />}
    </li>
  );
}

function Added({ hashtag, judge }: { hashtag: string; judge: Judge }) {
  return (
    <li class="chip chip-accepted">
      <span class="chip-main">
        <span class="chip-tag">#{hashtag}</span> <span class="chip-score">{t.result.addedMark}</span>
      </span>
      <ActButton
        kind="no"
        label={t.result.takeBack(hashtag)}
        act={() => judge(hashtag, undefined, t.result.takenBack(hashtag))}
      />
    </li>
  );
}

function Rejected({ list, judge }: { list: string[]; judge: Judge }) {
  if (list.length === 0) return null;
  return (
    <div class="rejected">
      <h4>{t.result.rejectedList}</h4>
      <ul class="chips" aria-label={t.result.rejectedList}>
        {list.map((hashtag) => (
          <li key={hashtag} class="chip chip-rejected">
            <span class="chip-main">
              <s>#{hashtag}</s>
            </span>
            <button
              class="chip-act"
              type="button"
              aria-label={t.result.restore(hashtag)}
              title={t.result.restore(hashtag)}
              onClick={() => judge(hashtag, undefined, t.result.takenBack(hashtag))}
            >
              <Icon name="undo" />
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function AddForm({ tagged, judge }: { tagged: Tagged; judge: Judge }) {
  const [text, type] = useState("");
  const add = (event: Event) => {
    event.preventDefault();
    const hashtag = cleanHashtag(text);
    if (!hashtag) return say(t.result.addEmpty, { bad: true });
    const known = tagged.tags.find((tag) => tag.hashtag.toLowerCase() === hashtag.toLowerCase());
    judge(known?.hashtag ?? hashtag, known ? "accept" : "add", t.result.added(hashtag));
    type("");
  };
  return (
    <form class="add-form" onSubmit={add}>
      <span class="add-hash" aria-hidden="true">
        #
      </span>
      <input
        class="input"
        aria-label={t.result.add}
        placeholder={t.result.add}
        maxLength={200}
        autocapitalize="none"
        value={text}
        onInput={(event) => type(event.currentTarget.value)}
      />
      <button class="button" type="submit">
        <Icon name="add" /> {t.result.addGo}
      </button>
    </form>
  );
}

export function TagPanel(props: TagPanelProps) {
  const { tagged, chosen, guesses, feedback } = props;
  const judge = judgeWith(props);
  const count = chosen.shown.length + chosen.added.length;
  const copyAll = async () => {
    const done = await copy(copyText(chosen));
    say(done ? t.result.copied(count) : t.result.notCopied, { bad: !done });
  };
  return (
    <section class="panel" aria-label={t.result.hashtags}>
      <div class="panel-head">
        <h3>{guesses ? t.result.unsure : t.result.hashtags}</h3>
        <button class="button button-main" type="button" disabled={count === 0} onClick={copyAll}>
          <Icon name="copy" /> {t.result.copy}
        </button>
      </div>
      <Sureness position={props.position} move={props.move} count={chosen.shown.length} all={tagged.tags.length} />
      {guesses && <p class="muted">{t.result.unsureText}</p>}
      {tagged.partial && <p class="hint">{t.result.partial}</p>}
      <ul class={guesses ? "chips chips-unsure" : "chips"} aria-label={t.result.hashtags}>
        {chosen.shown.map((tag) => (
          <Chip key={tag.hashtag} tag={tag} verdict={verdictOn(feedback, tag.hashtag)} judge={judge} panel={props} />
        ))}
        {chosen.added.map((hashtag) => (
          <Added key={hashtag} hashtag={hashtag} judge={judge} />
        ))}
        {count === 0 && <li class="muted">{t.result.nothing}</li>}
      </ul>
      {may("write") && <AddForm tagged={tagged} judge={judge} />}
      <Rejected list={chosen.rejected} judge={judge} />
      <p class="by">{t.result.by(tagged.model, tagged.views)}</p>
    </section>
  );
}

// One video on its way: what it does now, how far it is, and what can be done with it. Opens to its result.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { remaining } from "../logic/format.ts";
import { type Item, secondsLeft } from "../logic/sending.ts";
import { say } from "../notice.ts";
import { t } from "../strings.ts";
import { canRetry, pause, previewOf, remove, resume, retry, startAgain } from "../upload.ts";
import { Icon, type IconName } from "./Icon.tsx";

export function statusOf(item: Item): string {
  const u = t.upload;
  switch (item.phase) {
    case "offered":
      return u.offered(item.size ? item.sent / item.size : 0);
    case "waiting":
      return u.waiting;
    case "sending":
      return [u.sending(item.sent, item.size), item.rate ? u.speed(item.rate) : "", leftOf(item)]
        .filter(Boolean)
        .join(" \u00b7 ");
    case "paused":
      return `${u.paused} \u00b7 ${u.sending(item.sent, item.size)}`;
    case "retrying":
      return u.retrying;
    case "stopped":
      return item.error?.title ?? u.lost;
    case "queued":
      return item.stage ? u.stages[item.stage] : u.queued(item.ahead ?? 0);
    case "running":
      return item.stage ? u.stages[item.stage] : u.running;
    case "done":
      return u.done;
    case "failed":
      return item.error?.detail ?? item.error?.title ?? u.failed;
  }
}

function leftOf(item: Item): string {
  const time = remaining(secondsLeft(item));
  return time && t.upload.left(time);
}

// Of what the line above it says: first of the bytes that were sent, then of the job.
function shareOf(item: Item): number {
  if (item.job) return item.progress;
  return item.size > 0 ? item.sent / item.size : 0;
}

function Thumb({ item }: { item: Item }) {
  const [broken, setBroken] = useState("");
  const preview = previewOf(item.key);
  const picture = item.phase === "done" && item.video ? api.thumbnailOf(item.video) : "";
  if (picture && broken !== picture)
    return <img class="thumb" src={picture} alt="" onError={() => setBroken(picture)} />;
  if (preview && broken !== preview) {
    return (
      <video
        class="thumb"
        src={`${preview}#t=0.1`}
        muted
        playsInline
        preload="metadata"
        aria-hidden="true"
        tabIndex={-1}
        onError={() => setBroken(preview)}
      />
    );
  }
  return (
    <span class="thumb thumb-none">
      <Icon name="play" />
    </span>
  );
}

function Act({ icon, label, act }: { icon: IconName; label: string; act: () => unknown }) {
  const run = () => Promise.resolve(act()).catch((error: Error) => say(error.message, { bad: true }));
  return (
    <button class="icon-button" type="button" aria-label={label} title={label} onClick={run}>
      <Icon name={icon} />
    </button>
  );
}

function Acts({ item }: { item: Item }) {
  const { key, name, phase } = item;
  const canPause = phase === "sending" || phase === "retrying" || phase === "waiting";
  const isOver = phase === "done" || phase === "failed";
  return (
    <div class="row-acts">
      {canPause && <Act icon="pause" label={t.upload.pause(name)} act={() => pause(key)} />}
      {phase === "paused" && <Act icon="play" label={t.upload.resume(name)} act={() => resume(key)} />}
      {phase === "stopped" && <Act icon="retry" label={t.upload.retry(name)} act={() => resume(key)} />}
      {phase === "failed" && canRetry(key) && <Act icon="retry" label={t.upload.retry(name)} act={() => retry(key)} />}
      <Act icon="reject" label={isOver ? t.upload.dismiss(name) : t.upload.cancel(name)} act={() => remove(key)} />
    </div>
  );
}

export interface UploadRowProps {
  item: Item;
  open: boolean;
  onToggle: () => void;
  children?: ComponentChildren;
}

export function UploadRow({ item, open, onToggle, children }: UploadRowProps) {
  const bad = item.phase === "failed" || item.phase === "stopped";
  const done = item.phase === "done";
  return (
    <li class="row" id={item.key} data-phase={item.phase}>
      <div class="row-head">
        <Thumb item={item} />
        <div class="row-text">
          <span class="row-name">{item.name}</span>
          <span class={bad ? "row-status row-status-bad" : "row-status"}>{statusOf(item)}</span>
          {!done && !bad && (
            <progress class="progress" max={1} value={shareOf(item)} aria-label={t.upload.progress(item.name)} />
          )}
          {item.phase === "offered" && (
            <span class="row-offer">
              <button class="button button-main" type="button" onClick={() => resume(item.key)}>
                {t.upload.goOn}
              </button>
              <button class="button" type="button" onClick={() => void startAgain(item.key)}>
                {t.upload.startOver}
              </button>
            </span>
          )}
        </div>
        {done && (
          <button
            class={open ? "icon-button turned" : "icon-button"}
            type="button"
            aria-expanded={open}
            aria-label={open ? t.upload.hide(item.name) : t.upload.show(item.name)}
            onClick={onToggle}
          >
            <Icon name="chevron" />
          </button>
        )}
        <Acts item={item} />
      </div>
      {open && children}
    </li>
  );
}

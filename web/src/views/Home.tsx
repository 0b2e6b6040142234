import { useEffect, useRef, useState } from "preact/hooks";
import { DropZone } from "../components/DropZone.tsx";
import { Icon } from "../components/Icon.tsx";
import { Result } from "../components/Result.tsx";
import { Empty } from "../components/States.tsx";
import { UploadRow, statusOf } from "../components/UploadRow.tsx";
import type { Item } from "../logic/sending.ts";
import { Link } from "../router.tsx";
import { may, session } from "../session.ts";
import { useStore } from "../store.ts";
import { t } from "../strings.ts";
import { discardUnfinished, isNew, items, previewOf, unfinished } from "../upload.ts";

// What is worth interrupting for: that a video is done or failed, not every percent.
function useAnnouncement(list: readonly Item[]): string {
  const phases = useRef(new Map<string, string>());
  const [text, tell] = useState("");
  useEffect(() => {
    for (const item of list) {
      const before = phases.current.get(item.key);
      phases.current.set(item.key, item.phase);
      if (before === undefined || before === item.phase) continue;
      if (item.phase === "done") tell(t.upload.announceDone(item.name));
      else if (item.phase === "failed") tell(t.upload.announceFailed(item.name));
      else if (item.phase !== "sending") tell(`${item.name}: ${statusOf(item)}`);
    }
  }, [list]);
  return text;
}

// On a phone the hashtags would begin below the screen. Somebody who writes or has scrolled is left alone.
function intoView(key: string): void {
  if (scrollY > 0 || document.activeElement instanceof HTMLInputElement) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.getElementById(key)?.scrollIntoView({ block: "start", behavior: still ? "instant" : "smooth" });
}

// The first video that is done opens by itself; after that people say which.
function useOpen(list: readonly Item[]) {
  const [open, setOpen] = useState<string>();
  const asked = useRef(false);
  const bringUp = useRef("");
  useEffect(() => {
    if (asked.current && list.some((item) => item.key === open)) return;
    const ready = list.filter((item) => item.phase === "done" && isNew(item.key)).at(-1);
    if (ready) {
      asked.current = true;
      setOpen(ready.key);
      bringUp.current = ready.key;
    }
  }, [list]);
  useEffect(() => {
    if (open && bringUp.current === open) intoView(open);
  }, [open]);
  const toggle = (key: string) => {
    asked.current = true;
    setOpen(open === key ? undefined : key);
  };
  return { open, toggle };
}

function Unfinished() {
  const list = useStore(unfinished);
  if (list.length === 0) return null;
  return (
    <section class="unfinished" aria-label={t.home.unfinished}>
      <h2 class="unfinished-title">{t.home.unfinished}</h2>
      <ul>
        {list.map((one) => (
          <li key={one.key}>
            <span>{t.home.unfinishedText(one.name)}</span>
            <button class="button button-quiet" type="button" onClick={() => void discardUnfinished(one.key)}>
              <Icon name="remove" /> {t.home.discard}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Finished({ item }: { item: Item }) {
  if (!item.video) return null;
  const preview = previewOf(item.key);
  return (
    <div class="row-result">
      <Result video={item.video} name={item.name} {...(preview ? { preview } : {})} />
      <Link class="more" href={`/videos/${item.video}`}>
        {t.upload.page} <Icon name="arrow" />
      </Link>
    </div>
  );
}

export function Home() {
  const list = useStore(items);
  useStore(session);
  const { open, toggle } = useOpen(list);
  const compact = list.some((item) => isNew(item.key));
  const announcement = useAnnouncement(list);
  return (
    <>
      <div class={compact ? "hero hero-compact" : "hero"}>
        <h1 tabIndex={-1}>{t.home.heading}</h1>
        <p class="lead">{t.home.lead}</p>
      </div>
      {may("write") ? <DropZone compact={compact} /> : <p class="muted">{t.home.readOnly}</p>}
      <Unfinished />
      <section class="yours" aria-labelledby="yours">
        <h2 id="yours">{t.home.yours}</h2>
        <p class="hidden-text" aria-live="polite">
          {announcement}
        </p>
        {list.length === 0 && <Empty picture="tag" title={t.home.none} text={t.home.noneText} />}
        <ul class="rows">
          {list.map((item) => (
            <UploadRow key={item.key} item={item} open={open === item.key} onToggle={() => toggle(item.key)}>
              <Finished item={item} />
            </UploadRow>
          ))}
        </ul>
      </section>
    </>
  );
}

import { useState } from "preact/hooks";
import { ApiError, type Feedback, type Video, api } from "../api.ts";
import { Dialog } from "../components/Dialog.tsx";
import { Icon } from "../components/Icon.tsx";
import { Result } from "../components/Result.tsx";
import { Failure, Waiting } from "../components/States.tsx";
import { titleOf } from "../components/VideoCard.tsx";
import { bytes, date, moment } from "../logic/format.ts";
import { compare } from "../logic/tags.ts";
import { say } from "../notice.ts";
import { Link, go, place } from "../router.tsx";
import { may } from "../session.ts";
import { useLoaded, useStore } from "../store.ts";
import { t } from "../strings.ts";
import { Missing } from "./Missing.tsx";

function Facts({ video }: { video: Video }) {
  const rows = [
    [t.video.length, moment(video.duration)],
    [t.video.picture, t.video.pixels(video.width, video.height)],
    [t.video.size, bytes(video.size_bytes)],
    [t.video.added, `${date(video.added)} UTC`],
    [t.video.source, video.source ?? ""],
    [t.video.id, video.video.slice(0, 12)],
  ] as const;
  return (
    <section class="box" aria-labelledby="facts">
      <h2 id="facts">{t.video.facts}</h2>
      <dl class="facts">
        {rows
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </section>
  );
}

function Hashtags({ title, list }: { title: string; list: string[] }) {
  return (
    <div class="compared">
      <h3>{title}</h3>
      <p>
        {list.length === 0 && <span class="muted">{t.video.nobody}</span>}
        {list.map((hashtag) => (
          <Link key={hashtag} class="tag-link" href={`/library?hashtag=${encodeURIComponent(hashtag)}`}>
            #{hashtag}
          </Link>
        ))}
      </p>
    </div>
  );
}

function Words({ video, feedback }: { video: Video; feedback: Feedback[] }) {
  const added = feedback.filter((said) => said.verdict === "add").map((said) => said.hashtag);
  const typed = [...new Set([...(video.hashtags ?? []), ...added])];
  const {
    both,
    typed: only,
    seen,
  } = compare(
    typed,
    (video.tags ?? []).map((tag) => tag.hashtag),
  );
  return (
    <section class="box" aria-labelledby="words">
      {video.caption && (
        <>
          <h2>{t.video.caption}</h2>
          <p class="caption">{video.caption}</p>
        </>
      )}
      <h2 id="words">{t.video.compared}</h2>
      {typed.length === 0 ? (
        <p class="muted">{t.video.noneTyped}</p>
      ) : (
        <>
          <Hashtags title={t.video.both} list={both} />
          <Hashtags title={t.video.typed} list={only} />
        </>
      )}
      <Hashtags title={t.video.seen} list={seen} />
    </section>
  );
}

function Remove({ video }: { video: Video }) {
  const [asking, ask] = useState(false);
  const [busy, work] = useState(false);
  const remove = async () => {
    work(true);
    try {
      await api.removeVideo(video.video);
      ask(false);
      go("/library");
      say(t.video.removed);
    } catch (error) {
      work(false);
      say((error as Error).message, { bad: true });
    }
  };
  return (
    <>
      <button class="button button-bad" type="button" onClick={() => ask(true)}>
        <Icon name="remove" /> {t.video.remove}
      </button>
      {asking && (
        <Dialog title={t.video.removeTitle} onClose={() => ask(false)}>
          <p>{t.video.removeText}</p>
          <div class="dialog-acts">
            <button class="button" type="button" onClick={() => ask(false)}>
              {t.cancel}
            </button>
            <button class="button button-bad-main" type="button" disabled={busy} onClick={remove}>
              {t.video.removeGo}
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

export function VideoPage({ id }: { id: string }) {
  const { query } = useStore(place);
  const loaded = useLoaded((signal) => api.video(id, signal), [id]);
  const [feedback, follow] = useState<Feedback[]>([]);
  const start = Number.parseFloat(query.get("t") ?? "");
  if (loaded.error instanceof ApiError && [400, 404].includes(loaded.error.problem.status)) return <Missing />;
  if (loaded.error) return <Failure error={loaded.error} again={loaded.again} />;
  const video = loaded.value;
  if (!video) return <Waiting class="skeleton-page" />;
  return (
    <>
      <p class="crumbs">
        <Link href="/library">{t.video.back}</Link>
      </p>
      <div class="title-row">
        <h1 class="video-title" tabIndex={-1}>
          {titleOf({ name: video.name, ...(video.caption ? { caption: video.caption } : {}) })}
        </h1>
        {((video.mine && may("write")) || may("operator")) && <Remove video={video} />}
      </div>
      <h2 class="hidden-text">{t.result.hashtags}</h2>
      <Result key={id} video={id} name={titleOf(video)} onFeedback={follow} {...(start >= 0 ? { at: start } : {})} />
      <div class="boxes">
        <Words video={video} feedback={feedback} />
        <Facts video={video} />
      </div>
    </>
  );
}

import { useEffect, useState } from "preact/hooks";
import { type Of, type Video, api } from "../api.ts";
import { HitRow } from "../components/HitRow.tsx";
import { Icon } from "../components/Icon.tsx";
import { Empty, Failure, Waiting } from "../components/States.tsx";
import { VideoCard } from "../components/VideoCard.tsx";
import { cleanHashtag } from "../logic/tags.ts";
import { say } from "../notice.ts";
import { go, place, withQuery } from "../router.tsx";
import { useLoaded, useStore } from "../store.ts";
import { t } from "../strings.ts";

const OFS: readonly Of[] = ["all", "mine", "library"];

// What the address says: it can be kept, sent and gone back to.
interface Wanted {
  of: Of;
  hashtag: string;
  q: string;
}

function useWanted(): Wanted {
  const { query } = useStore(place);
  const of = OFS.find((one) => one === query.get("of")) ?? "all";
  return { of, hashtag: cleanHashtag(query.get("hashtag") ?? ""), q: (query.get("q") ?? "").trim() };
}

function show({ of, hashtag, q }: Wanted): void {
  go(withQuery("/library", { of: of === "all" ? undefined : of, hashtag, q }));
}

interface FieldProps {
  label: string;
  button: string;
  icon: "search" | "arrow";
  value: string;
  search?: boolean;
  send: (text: string) => void;
}

function Field({ label, button, icon, value, search = false, send }: FieldProps) {
  const [text, type] = useState(value);
  useEffect(() => type(value), [value]);
  const submit = (event: Event) => {
    event.preventDefault();
    send(text.trim());
  };
  return (
    <form class={search ? "field field-search" : "field"} role={search ? "search" : undefined} onSubmit={submit}>
      <input
        class="input"
        type="text"
        enterkeyhint={search ? "search" : "done"}
        aria-label={label}
        placeholder={label}
        maxLength={search ? 400 : 200}
        value={text}
        onInput={(event) => type(event.currentTarget.value)}
      />
      <button class="button" type="submit" aria-label={button}>
        <Icon name={icon} /> <span class="button-word">{button}</span>
      </button>
    </form>
  );
}

function Filters({ wanted }: { wanted: Wanted }) {
  return (
    <div class="filters">
      <div class="segmented" role="group" aria-label={t.library.of}>
        {OFS.map((of) => (
          <button key={of} type="button" aria-pressed={wanted.of === of} onClick={() => show({ ...wanted, of })}>
            {t.library[of]}
          </button>
        ))}
      </div>
      {wanted.hashtag ? (
        <button
          class="button filter-on"
          type="button"
          aria-label={t.library.without(wanted.hashtag)}
          onClick={() => show({ ...wanted, hashtag: "" })}
        >
          #{wanted.hashtag} <Icon name="reject" />
        </button>
      ) : (
        <Field
          label={t.library.hashtag}
          button={t.library.hashtagGo}
          icon="arrow"
          value=""
          send={(text) => show({ ...wanted, hashtag: cleanHashtag(text) })}
        />
      )}
    </div>
  );
}

function useMore(wanted: Wanted, first: { videos: Video[]; next?: string } | undefined) {
  const [more, add] = useState<{ of: typeof first; videos: Video[]; next?: string | undefined }>();
  const rest = more?.of === first ? more : undefined;
  const next = rest ? rest.next : first?.next;
  const load = async () => {
    try {
      const page = await api.videos(wanted.of, wanted.hashtag, next);
      add({ of: first, videos: [...(rest?.videos ?? []), ...page.videos], next: page.next });
    } catch (error) {
      say((error as Error).message, { bad: true });
    }
  };
  return { videos: [...(first?.videos ?? []), ...(rest?.videos ?? [])], next, load };
}

function Videos({ wanted }: { wanted: Wanted }) {
  const loaded = useLoaded(
    (signal) => api.videos(wanted.of, wanted.hashtag, undefined, signal),
    [wanted.of, wanted.hashtag],
  );
  const { videos, next, load } = useMore(wanted, loaded.value);
  if (loaded.error) return <Failure error={loaded.error} again={loaded.again} />;
  if (!loaded.value) return <Waiting class="skeleton-grid" />;
  if (videos.length === 0) {
    const filtered = wanted.hashtag !== "" || wanted.of !== "all";
    return filtered ? (
      <Empty picture="search" title={t.library.emptyFilter} text={t.library.emptyFilterText} />
    ) : (
      <Empty picture="empty" title={t.library.empty} text={t.library.emptyText} />
    );
  }
  return (
    <>
      <p class="hidden-text" role="status">
        {t.library.shown(videos.length)}
      </p>
      <ul class="grid">
        {videos.map((video) => (
          <VideoCard key={video.video} video={video} />
        ))}
      </ul>
      {next && (
        <button class="button more-button" type="button" onClick={load}>
          {t.library.more}
        </button>
      )}
    </>
  );
}

function Hits({ wanted }: { wanted: Wanted }) {
  const loaded = useLoaded((signal) => api.search(wanted.q, signal), [wanted.q]);
  if (loaded.error) return <Failure error={loaded.error} again={loaded.again} />;
  if (!loaded.value) return <Waiting class="skeleton-grid" />;
  if (loaded.value.length === 0) return <Empty picture="search" title={t.library.noHits} text={t.library.noHitsText} />;
  return (
    <>
      <p class="hits-count" role="status">
        {t.library.results(loaded.value.length, wanted.q)}
      </p>
      <ul class="hits">
        {loaded.value.map((hit) => (
          <HitRow key={hit.video} hit={hit} />
        ))}
      </ul>
    </>
  );
}

export function Library() {
  const wanted = useWanted();
  return (
    <>
      <h1 tabIndex={-1}>{t.library.title}</h1>
      <div class="search-row">
        <Field
          label={t.library.search}
          button={t.library.searchGo}
          icon="search"
          search
          value={wanted.q}
          send={(q) => show({ ...wanted, q })}
        />
        {wanted.q && (
          <button class="button button-quiet" type="button" onClick={() => show({ ...wanted, q: "" })}>
            <Icon name="reject" /> {t.library.clear}
          </button>
        )}
      </div>
      {!wanted.q && <Filters wanted={wanted} />}
      {wanted.q ? <Hits wanted={wanted} /> : <Videos wanted={wanted} />}
    </>
  );
}

import { useState } from "preact/hooks";
import { type Video, api } from "../api.ts";
import { clock, percent } from "../logic/format.ts";
import { Link } from "../router.tsx";
import { t } from "../strings.ts";
import { Icon } from "./Icon.tsx";

const TAGS = 3;

export function titleOf(video: { caption?: string; name?: string }): string {
  return video.caption || video.name || t.library.untitled;
}

export function Thumbnail({ video }: { video: string }) {
  const [broken, setBroken] = useState(false);
  return (
    <span class="thumbnail">
      {broken ? (
        <Icon name="play" />
      ) : (
        <img src={api.thumbnailOf(video)} alt="" loading="lazy" decoding="async" onError={() => setBroken(true)} />
      )}
    </span>
  );
}

export function VideoCard({ video }: { video: Video }) {
  const tags = (video.tags ?? []).slice(0, TAGS);
  const typed = tags.length === 0 ? (video.hashtags ?? []).slice(0, TAGS) : [];
  return (
    <li class="card">
      <Link href={`/videos/${video.video}`} class="card-link">
        <span class="card-picture">
          <Thumbnail video={video.video} />
          <span class="badge badge-time">{clock(video.duration)}</span>
          {video.mine && <span class="badge badge-mine">{t.library.mineMark}</span>}
        </span>
        <span class="card-title">{titleOf(video)}</span>
      </Link>
      <span class="card-tags">
        {tags.map((tag) => (
          <Link
            key={tag.hashtag}
            href={`/library?hashtag=${encodeURIComponent(tag.hashtag)}`}
            class="tag-link"
            title={percent(tag.score)}
          >
            #{tag.hashtag}
          </Link>
        ))}
        {typed.map((hashtag) => (
          <Link key={hashtag} href={`/library?hashtag=${encodeURIComponent(hashtag)}`} class="tag-link">
            #{hashtag}
          </Link>
        ))}
        {tags.length === 0 && typed.length === 0 && (
          <span class="muted">{video.tags ? "\u2013" : t.library.untagged}</span>
        )}
      </span>
    </li>
  );
}

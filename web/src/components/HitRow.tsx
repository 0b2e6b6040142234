// A result of a search, and why it is one: each moment opens the video there.
import type { Hit, Segment, Tag } from "../api.ts";
import { percent, span } from "../logic/format.ts";
import { Link } from "../router.tsx";
import { t } from "../strings.ts";
import { Icon } from "./Icon.tsx";
import { Thumbnail, titleOf } from "./VideoCard.tsx";

function Moments({ hit, segments }: { hit: Hit; segments: Segment[] }) {
  return (
    <>
      {segments.map((segment) => (
        <Link
          key={segment[0]}
          class="moment-link"
          href={`/videos/${hit.video}?t=${segment[0]}`}
          aria-label={t.library.jump(titleOf(hit), span(segment))}
        >
          <Icon name="play" /> {span(segment)}
        </Link>
      ))}
    </>
  );
}

function Seen({ hit, tag }: { hit: Hit; tag: Tag }) {
  return (
    <li>
      <span>{t.library.at(tag.hashtag, percent(tag.score))}</span>
      <Moments hit={hit} segments={tag.segments} />
    </li>
  );
}

export function HitRow({ hit }: { hit: Hit }) {
  const start = hit.segments[0]?.[0];
  const named = (hit.named ?? []).filter((tag) => tag.segments.length > 0);
  return (
    <li class="hit">
      <Link class="hit-link" href={`/videos/${hit.video}${start === undefined ? "" : `?t=${start}`}`}>
        <Thumbnail video={hit.video} />
        <span class="card-title">{titleOf(hit)}</span>
      </Link>
      <div class="hit-why">
        <ul class="whys">
          {hit.why.map((why) => (
            <li key={why} class="why" data-why={why}>
              {t.library.why[why]}
            </li>
          ))}
        </ul>
        {named.length > 0 && (
          <ul class="hit-moments">
            {named.map((tag) => (
              <Seen key={tag.hashtag} hit={hit} tag={tag} />
            ))}
          </ul>
        )}
        {named.length === 0 && hit.segments.length > 0 && (
          <p class="hit-moments">
            <Moments hit={hit} segments={hit.segments} />
          </p>
        )}
      </div>
    </li>
  );
}

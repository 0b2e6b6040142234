// A lane for each hashtag with the moments that earned it, under one playhead. A moment is a button.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Tag } from "../api.ts";
import { moment } from "../logic/format.ts";
import { type Placed, place } from "../logic/tags.ts";
import { t } from "../strings.ts";
import { type PlayerHandle, jump } from "./Player.tsx";

const FIRST_LANES = 8;

export interface TimelineProps {
  tags: Tag[];
  duration: number;
  player: PlayerHandle;
  marked?: string;
}

// Moves the line without drawing the views again sixty times a second.
function usePlayhead(player: PlayerHandle, duration: number) {
  const head = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const video = player.element;
    if (!video || !(duration > 0)) return;
    let frame = 0;
    const move = () => {
      if (head.current) head.current.style.left = `${Math.min(100, (video.currentTime / duration) * 100)}%`;
      frame = video.paused ? 0 : requestAnimationFrame(move);
    };
    const events = ["play", "seeked", "timeupdate", "pause"] as const;
    const begin = () => (cancelAnimationFrame(frame), move());
    for (const event of events) video.addEventListener(event, begin);
    return () => {
      cancelAnimationFrame(frame);
      for (const event of events) video.removeEventListener(event, begin);
    };
  }, [player.element, duration]);
  return head;
}

function Moment({ hashtag, placed, player }: { hashtag: string; placed: Placed; player: PlayerHandle }) {
  const label = t.result.segment(hashtag, moment(placed.start), moment(placed.end));
  return (
    <button
      class="moment"
      type="button"
      style={{ left: `${placed.left}%`, width: `${placed.width}%` }}
      aria-label={label}
      title={label}
      onClick={() => jump(player, placed.start)}
    />
  );
}

function Lane({
  tag,
  duration,
  player,
  marked,
}: {
  tag: Tag;
  duration: number;
  player: PlayerHandle;
  marked: boolean;
}) {
  const placed = place(tag.segments, duration);
  return (
    <li class={marked ? "lane lane-marked" : "lane"}>
      <span class="lane-name">#{tag.hashtag}</span>
      <span class="lane-track">
        {placed.length === 0 && <span class="lane-none">{t.result.noMoments}</span>}
        {placed.map((one) => (
          <Moment key={one.start} hashtag={tag.hashtag} placed={one} player={player} />
        ))}
      </span>
    </li>
  );
}

export function Timeline({ tags, duration, player, marked }: TimelineProps) {
  const [all, showAll] = useState(false);
  const head = usePlayhead(player, duration);
  const lanes = all ? tags : tags.slice(0, FIRST_LANES);
  return (
    <section class="timeline" aria-label={t.result.moments}>
      <div class="timeline-head">
        <h3>{t.result.moments}</h3>
        <span class="muted">{t.result.momentsHelp}</span>
      </div>
      <div class="lanes">
        <span class="playhead-track" aria-hidden="true">
          <span class="playhead" ref={head} />
        </span>
        <ul>
          {lanes.map((tag) => (
            <Lane key={tag.hashtag} tag={tag} duration={duration} player={player} marked={tag.hashtag === marked} />
          ))}
        </ul>
        <div class="ruler" aria-hidden="true">
          <span>{moment(0)}</span>
          <span>{moment(duration / 2)}</span>
          <span>{moment(duration)}</span>
        </div>
      </div>
      {tags.length > FIRST_LANES && (
        <button class="button button-quiet" type="button" aria-expanded={all} onClick={() => showAll(!all)}>
          {all ? t.result.fewerLanes : t.result.moreLanes(tags.length - FIRST_LANES)}
        </button>
      )}
    </section>
  );
}

// The browser's player in a box of fixed shape, and a handle by which others jump within it. What the browser cannot play is
// shown as a picture that moves, where it is one, and else as pictures of its moments.
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api.ts";
import { partAt } from "../logic/format.ts";
import { t } from "../strings.ts";

export interface PlayerHandle {
  element: HTMLVideoElement | null;
  show?: ((seconds: number) => void) | undefined; // where there is no player: the picture of that moment
}

export function jump(player: PlayerHandle, seconds: number): void {
  if (player.show) return player.show(seconds);
  const video = player.element;
  if (!video) return;
  // On a phone the moments stand a screen below the film.
  video.scrollIntoView({ block: "nearest" });
  const start = () => {
    video.currentTime = seconds;
    // Refused where the browser wants a gesture first: the picture is at the moment all the same.
    void video.play().catch(() => undefined);
  };
  if (video.readyState >= HTMLMediaElement.HAVE_METADATA) return start();
  video.addEventListener("loadedmetadata", start, { once: true });
  video.load();
}

export interface PlayerProps {
  video: string;
  name: string;
  handle: PlayerHandle;
  duration?: number; // seconds, once it is known
  preview?: string;
  at?: number;
}

const PARTS = 8; // of a video, each with a picture

function Stills({ video, name, type, duration, handle }: PlayerProps & { type: string }) {
  const [part, choose] = useState(PARTS / 2);
  useEffect(() => {
    handle.show = (seconds) => choose(partAt(seconds, duration ?? 0, PARTS));
    return () => {
      handle.show = undefined;
    };
  }, [duration]);
  const parts = Array.from({ length: PARTS }, (_, index) => index + 1);
  return (
    <div class="player player-stills">
      <img class="still" src={api.thumbnailOf(video, part)} alt={t.result.still(name, part, PARTS)} />
      <p class="still-note" role="status">
        {t.result.unplayable(type)}{" "}
        <a href={api.fileOf(video)} download={name}>
          {t.result.download}
        </a>
      </p>
      <div class="still-strip">
        {parts.map((one) => (
          <button
            key={one}
            type="button"
            aria-label={t.result.showStill(one, PARTS)}
            aria-pressed={one === part}
            onClick={() => choose(one)}
          >
            <img src={api.thumbnailOf(video, one)} alt="" loading="lazy" decoding="async" />
          </button>
        ))}
      </div>
    </div>
  );
}

export function Player(props: PlayerProps) {
  const { video, name, handle, preview, at } = props;
  const element = useRef<HTMLVideoElement>(null);
  // Set once the browser has refused to play it.
  const [refused, refuse] = useState<{ video: string; type: string }>();
  const type = refused?.video === video ? refused.type : undefined;
  useEffect(() => {
    handle.element = element.current;
    if (at !== undefined) jump(handle, at);
    return () => {
      handle.element = null;
    };
  }, [video, at, type]);
  const setType = (found: string) => refuse({ video, type: found });
  const lookAtType = () => void api.typeOf(video).then(setType, () => setType("")); // "": gone, or no connection
  if (type?.startsWith("image/")) {
    return (
      <div class="player">
        <img class="still" src={api.fileOf(video)} alt={t.result.player(name)} onError={() => setType("")} />
      </div>
    );
  }
  if (type !== undefined) return <Stills {...props} type={type} />;
  return (
    <div class="player">
      <video
        ref={element}
        controls
        playsInline
        preload="metadata"
        poster={api.thumbnailOf(video)}
        src={preview ?? api.fileOf(video)}
        aria-label={t.result.player(name)}
        onError={lookAtType}
      />
    </div>
  );
}

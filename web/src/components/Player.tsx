// The browser's player in a box of fixed shape, and a handle by which others jump within it.
import { useEffect, useRef } from "preact/hooks";
import { api } from "../api.ts";
import { t } from "../strings.ts";

export interface PlayerHandle {
  element: HTMLVideoElement | null;
}

export function jump(player: PlayerHandle, seconds: number): void {
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
  preview?: string;
  at?: number;
}

export function Player({ video, name, handle, preview, at }: PlayerProps) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    handle.element = element.current;
    if (at !== undefined) jump(handle, at);
    return () => {
      handle.element = null;
    };
  }, [video, at]);
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
      />
    </div>
  );
}

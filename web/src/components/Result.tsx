// A video and what was found in it: player, moments, hashtags, and what people say of them.
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, api, type Feedback, type Tagged } from "../api.ts";
import { MODELS_CHOICE, bySureness, choose, thresholdOf } from "../logic/tags.ts";
import { useLoaded } from "../store.ts";
import { t } from "../strings.ts";
import { Player, type PlayerHandle } from "./Player.tsx";
import { Empty, Failure, Waiting } from "./States.tsx";
import { TagPanel } from "./TagPanel.tsx";
import { Timeline } from "./Timeline.tsx";

export interface ResultProps {
  video: string;
  name: string;
  preview?: string; // the bytes that this browser has already
  at?: number; // seconds, to begin at
  onFeedback?: (feedback: Feedback[]) => void;
}

function load(video: string, signal: AbortSignal): Promise<{ tagged: Tagged; feedback: Feedback[] }> {
  return Promise.all([api.tags(video, signal), api.feedback(video, signal)]).then(([tagged, feedback]) => ({
    tagged: { ...tagged, tags: (tagged.tags.length > 0 ? tagged.tags : (tagged.guesses ?? [])).toSorted(bySureness) },
    feedback,
  }));
}

function Found({ tagged, first, player, onFeedback }: FoundProps) {
  const [position, move] = useState(MODELS_CHOICE);
  const [feedback, setFeedback] = useState(first);
  const [marked, mark] = useState<string>();
  useEffect(() => onFeedback?.(feedback), [feedback]);
  const unsure = !tagged.tags.some((tag) => tag.score >= thresholdOf(tag));
  const chosen = choose(tagged.tags, feedback, position);
  // Where nothing is sure, the closest are shown until the slider is moved.
  const guesses = unsure && position === MODELS_CHOICE;
  if (guesses) {
    const near = tagged.tags
      .slice(0, GUESSES)
      .filter((tag) => !chosen.shown.includes(tag) && !chosen.rejected.includes(tag.hashtag));
    chosen.shown = tagged.tags.filter((tag) => chosen.shown.includes(tag) || near.includes(tag));
  }
  return (
    <>
      <TagPanel {...{ tagged, chosen, guesses, position, move, feedback, setFeedback, mark, player }} />
      <Timeline tags={chosen.shown} duration={tagged.duration} player={player} {...(marked ? { marked } : {})} />
    </>
  );
}

const GUESSES = 3;

interface FoundProps {
  tagged: Tagged;
  first: Feedback[];
  player: PlayerHandle;
  onFeedback?: ((feedback: Feedback[]) => void) | undefined;
}

export function Result({ video, name, preview, at, onFeedback }: ResultProps) {
  const loaded = useLoaded((signal) => load(video, signal), [video]);
  const player = useRef<PlayerHandle>({ element: null }).current;
  const untagged = loaded.error instanceof ApiError && loaded.error.problem.status === 409;
  return (
    <div class="result">
      <Player
        video={video}
        name={name}
        handle={player}
        {...(loaded.value ? { duration: loaded.value.tagged.duration } : {})}
        {...(preview ? { preview } : {})}
        {...(at !== undefined ? { at } : {})}
      />
      {loaded.value && (
        <Found tagged={loaded.value.tagged} first={loaded.value.feedback} player={player} onFeedback={onFeedback} />
      )}
      {untagged && <Empty picture="tag" title={t.result.untagged} text={t.result.untaggedText} />}
      {loaded.error && !untagged && <Failure error={loaded.error} again={loaded.again} />}
      {!loaded.value && !loaded.error && <Waiting class="skeleton-panel" />}
    </div>
  );
}

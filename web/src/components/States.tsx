// What stands where there is nothing, something went wrong, or something is still coming.
import type { ComponentChildren } from "preact";
import { ApiError } from "../api.ts";
import { t } from "../strings.ts";
import { Icon } from "./Icon.tsx";
import { Picture, type Subject } from "./Picture.tsx";

export interface EmptyProps {
  picture: Subject;
  title: string;
  text?: string;
  children?: ComponentChildren;
}

export function Empty({ picture, title, text, children }: EmptyProps) {
  return (
    <div class="state">
      <Picture of={picture} />
      <h2 class="state-title">{title}</h2>
      {text && <p class="state-text">{text}</p>}
      {children}
    </div>
  );
}

export function Failure({ error, again }: { error: Error; again?: () => void }) {
  const problem = error instanceof ApiError ? error.problem : { title: t.problem.title, detail: error.message };
  return (
    <div role="alert">
      <Empty picture="broken" title={problem.title} {...(problem.detail ? { text: problem.detail } : {})}>
        {again && (
          <button class="button" type="button" onClick={again}>
            <Icon name="retry" /> {t.again}
          </button>
        )}
      </Empty>
    </div>
  );
}

export function Waiting({ class: name }: { class: string }) {
  return <div class={`skeleton ${name}`} role="status" aria-label={t.loading} />;
}

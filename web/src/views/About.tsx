import { addressOf } from "../base.ts";
import policy from "../../../docs/data-policy.md?raw";
import { api } from "../api.ts";
import { Markdown } from "../components/Markdown.tsx";
import { Failure, Waiting } from "../components/States.tsx";
import { session } from "../session.ts";
import { useLoaded, useStore } from "../store.ts";
import { t } from "../strings.ts";

// The document's own title is the section's here.
const POLICY = policy.replace(/^# .*\n/, "");

export function About() {
  const who = useStore(session);
  const model = useLoaded((signal) => api.model("current", signal), []);
  return (
    <>
      <h1 tabIndex={-1}>{t.about.title}</h1>
      <p class="lead">{t.about.lead}</p>
      <section class="box" aria-labelledby="about-model">
        <h2 id="about-model">{t.about.model}</h2>
        {model.error && <Failure error={model.error} again={model.again} />}
        {!model.value && !model.error && <Waiting class="skeleton-page" />}
        {model.value &&
          (model.value.card ? <Markdown text={model.value.card} under={2} /> : <p class="muted">{t.models.noCard}</p>)}
      </section>
      <section class="box" aria-labelledby="about-policy">
        <h2 id="about-policy">{t.about.policy}</h2>
        <Markdown text={POLICY} under={2} />
      </section>
      <section class="box" aria-labelledby="about-licence">
        <h2 id="about-licence">{t.about.licence}</h2>
        <p>
          {t.about.licenceText} {who?.version && t.about.version(who.version)}
        </p>
        <ul class="links">
          <li>
            <a href={addressOf("/licenses.md")}>{t.about.parts}</a>
          </li>
          <li>
            <a href={addressOf("/openapi.json")}>{t.about.api}</a>
          </li>
        </ul>
      </section>
    </>
  );
}

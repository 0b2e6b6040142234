import { type Change, type Model, api } from "../api.ts";
import { Icon } from "../components/Icon.tsx";
import { Markdown } from "../components/Markdown.tsx";
import { Empty, Failure, Waiting } from "../components/States.tsx";
import { figures } from "../logic/figures.ts";
import { date } from "../logic/format.ts";
import { Link, place, withQuery } from "../router.tsx";
import { useLoaded, useStore } from "../store.ts";
import { t } from "../strings.ts";

function Marks({ model }: { model: Model }) {
  return (
    <span class="marks">
      {model.serving && <span class="mark mark-serving">{t.models.serving}</span>}
      {model.aliases.map((alias) => (
        <span key={alias} class="mark">
          {alias}
        </span>
      ))}
    </span>
  );
}

function VersionList({ models, chosen }: { models: Model[]; chosen: string | undefined }) {
  return (
    <nav class="versions" aria-label={t.models.list}>
      <ul>
        {models.map((model) => {
          const best = figures(model.figures)[0];
          return (
            <li key={model.version}>
              <Link
                href={withQuery("/models", { version: model.version })}
                class="version"
                aria-current={model.version === chosen ? "true" : undefined}
              >
                <span class="version-name">{model.version}</span>
                <Marks model={model} />
                <span class="muted">
                  {[
                    t.models.hashtags(model.hashtags),
                    best ? `${t.models.names[best.name]} ${best.value}` : "",
                    model.created ? date(model.created).slice(0, 10) : "",
                  ]
                    .filter(Boolean)
                    .join(" \u00b7 ")}
                </span>
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

function Figures({ model }: { model: Model }) {
  const list = figures(model.figures);
  if (list.length === 0) return <p class="muted">{t.models.noFigures}</p>;
  return (
    <dl class="figures">
      {list.map(({ name, value, share }) => (
        <div key={name}>
          <dt>{t.models.names[name] ?? name}</dt>
          <dd>
            {value}
            {share !== undefined && (
              <span class="bar" aria-hidden="true">
                <span style={{ width: `${share * 100}%` }} />
              </span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function History({ changes }: { changes: Change[] }) {
  return (
    <ol class="history">
      {changes.toReversed().map((change, key) => (
        <li key={key}>
          <span>
            <strong>{t.models.acts[change.act ?? ""] ?? change.act}</strong>{" "}
            {change.alias && t.models.alias(change.alias)}
          </span>
          <span class="muted">
            {[change.at?.replace("T", " ").replace("Z", " UTC"), change.by && t.models.by(change.by)]
              .filter(Boolean)
              .join(" \u00b7 ")}
          </span>
          {change.why && <span>{change.why}</span>}
        </li>
      ))}
    </ol>
  );
}

function Whole({ version }: { version: string }) {
  const loaded = useLoaded((signal) => api.model(version, signal), [version]);
  if (loaded.error) return <Failure error={loaded.error} again={loaded.again} />;
  const model = loaded.value;
  if (!model) return <Waiting class="skeleton-page" />;
  return (
    <article class="model">
      <div class="box">
        <h2>
          {model.version} <Marks model={model} />
        </h2>
        <h3>{t.models.figures}</h3>
        <Figures model={model} />
        {model.history && model.history.length > 0 && (
          <>
            <h3>{t.models.history}</h3>
            <History changes={model.history} />
          </>
        )}
        {model.vocabulary && (
          <details>
            <summary>
              <Icon name="chevron" /> {t.models.vocabulary}{" "}
              <span class="muted">{t.models.hashtags(model.vocabulary.length)}</span>
            </summary>
            <p class="words">{model.vocabulary.map((hashtag) => `#${hashtag}`).join(" ")}</p>
          </details>
        )}
        {model.recipe && (
          <details>
            <summary>
              <Icon name="chevron" /> {t.models.recipe}
            </summary>
            <pre tabIndex={0}>
              <code>{model.recipe}</code>
            </pre>
          </details>
        )}
      </div>
      <div class="box">
        {model.card ? <Markdown text={model.card} under={2} /> : <p class="muted">{t.models.noCard}</p>}
      </div>
    </article>
  );
}

export function Models() {
  const { query } = useStore(place);
  const loaded = useLoaded((signal) => api.models(signal), []);
  const models = loaded.value;
  const chosen = query.get("version") ?? models?.find((model) => model.serving)?.version ?? models?.[0]?.version;
  return (
    <>
      <h1 tabIndex={-1}>{t.models.title}</h1>
      <p class="lead">{t.models.lead}</p>
      {loaded.error && <Failure error={loaded.error} again={loaded.again} />}
      {!models && !loaded.error && <Waiting class="skeleton-page" />}
      {models?.length === 0 && <Empty picture="empty" title={t.models.noFigures} />}
      {models && chosen && (
        <div class="models">
          <VersionList models={models} chosen={chosen} />
          <Whole key={chosen} version={chosen} />
        </div>
      )}
    </>
  );
}

import { useState } from "preact/hooks";
import { say } from "../notice.ts";
import { Link, place } from "../router.tsx";
import { logOut, session } from "../session.ts";
import { useStore } from "../store.ts";
import { t } from "../strings.ts";
import { nextTheme, theme } from "../theme.ts";
import { Icon } from "./Icon.tsx";
import { SignInDialog } from "./SignIn.tsx";

const VIEWS = [
  ["/", t.nav.tag],
  ["/library", t.nav.library],
  ["/models", t.nav.models],
  ["/about", t.nav.about],
] as const;

export function Logo() {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect class="logo-back" width="32" height="32" rx="9" />
      <path class="logo-hash" d="M13 7l-2.5 18M21.5 7L19 25M7.5 12.5h18M6.5 19.5h18" />
      <path class="logo-play" d="M13.5 12.5l6.5 3.5-7.5 3.5z" />
    </svg>
  );
}

function Account() {
  const who = useStore(session);
  const [asking, ask] = useState(false);
  if (!who || who.kind === "none") return null;
  if (who.kind === "token") {
    const leave = () => void logOut().then(() => say(t.session.signedOut));
    return (
      <button class="button button-quiet" type="button" onClick={leave} title={t.session.as(who.name ?? "")}>
        <Icon name="user" /> <span class="button-word">{t.session.signOut}</span>
      </button>
    );
  }
  return (
    <>
      <button class="button button-quiet" type="button" onClick={() => ask(true)}>
        <Icon name="user" /> <span class="button-word">{t.session.signIn}</span>
      </button>
      {asking && <SignInDialog onClose={() => ask(false)} />}
    </>
  );
}

export function Header() {
  const { path } = useStore(place);
  const chosen = useStore(theme);
  const isHere = (href: string) => path === href || (href === "/library" && path.startsWith("/videos/"));
  return (
    <header class="header">
      <div class="header-row">
        <Link href="/" class="brand">
          <Logo />
          {t.name}
        </Link>
        <nav class="nav" aria-label={t.nav.label}>
          {VIEWS.map(([href, name]) => (
            <Link key={href} href={href} class="nav-link" aria-current={isHere(href) ? "page" : undefined}>
              {name}
            </Link>
          ))}
        </nav>
        <div class="header-end">
          <button
            class="icon-button"
            type="button"
            onClick={nextTheme}
            aria-label={t.theme[chosen]}
            title={t.theme[chosen]}
          >
            <Icon name={chosen} />
          </button>
          <Account />
        </div>
      </div>
    </header>
  );
}

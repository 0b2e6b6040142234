import { useEffect, useRef } from "preact/hooks";
import { Header } from "./components/Header.tsx";
import { Notices } from "./components/Notices.tsx";
import { Gate } from "./components/SignIn.tsx";
import { Failure, Waiting } from "./components/States.tsx";
import { say } from "./notice.ts";
import { place } from "./router.tsx";
import { loadSession, session, unreachable } from "./session.ts";
import { useStore } from "./store.ts";
import { t } from "./strings.ts";
import { restore } from "./upload.ts";
import { About } from "./views/About.tsx";
import { Home } from "./views/Home.tsx";
import { Library } from "./views/Library.tsx";
import { Missing } from "./views/Missing.tsx";
import { Models } from "./views/Models.tsx";
import { VideoPage } from "./views/VideoPage.tsx";

const VIDEO = /^\/videos\/([0-9a-f]{64})$/;

function viewAt(path: string) {
  const video = VIDEO.exec(path)?.[1];
  if (video) return { title: t.video.title, view: <VideoPage key={video} id={video} /> };
  if (path === "/") return { title: t.home.title, view: <Home /> };
  if (path === "/library") return { title: t.library.title, view: <Library /> };
  if (path === "/models") return { title: t.models.title, view: <Models /> };
  if (path === "/about") return { title: t.about.title, view: <About /> };
  return { title: t.missing.title, view: <Missing /> };
}

// Somebody who hears the page hears its new heading first; somebody who types goes on from there.
function useFocusOnNewView(path: string): void {
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
  }, [path]);
}

export function App() {
  const { path } = useStore(place);
  const who = useStore(session);
  const failure = useStore(unreachable);
  const { title, view } = viewAt(path);
  useFocusOnNewView(path);
  useEffect(() => {
    document.title = t.title(title);
  }, [title]);
  useEffect(() => void loadSession(), []);
  const known = who && who.kind !== "none" ? `${who.kind} ${who.name ?? ""}` : "";
  useEffect(() => {
    if (known) restore().catch((error: Error) => say(error.message, { bad: true }));
  }, [known]);
  return (
    <>
      <a class="skip" href="#content">
        {t.skip}
      </a>
      <Header />
      <main id="content" class="main">
        {!who && failure && <Failure error={failure} again={() => void loadSession()} />}
        {!who && !failure && <Waiting class="skeleton-page" />}
        {who?.kind === "none" && <Gate />}
        {known && view}
      </main>
      <Notices />
    </>
  );
}

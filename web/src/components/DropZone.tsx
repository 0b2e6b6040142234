// Where videos come in: dropped anywhere on the page, chosen, recorded, pasted as a file or a link.
import { useEffect, useRef, useState } from "preact/hooks";
import { VIDEO_ACCEPT, linkIn, looksLikeVideo } from "../logic/sending.ts";
import { say } from "../notice.ts";
import { session } from "../session.ts";
import { useStore } from "../store.ts";
import { t } from "../strings.ts";
import { addFile, addLink } from "../upload.ts";
import { Icon } from "./Icon.tsx";

function addFiles(files: Iterable<File>): void {
  for (const file of files) {
    if (looksLikeVideo(file)) void addFile(file);
    else say(t.home.notVideo(file.name), { bad: true });
  }
}

const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;

// Whether files hang over the page. Entering a child comes before leaving its parent, so they are counted.
function useDropAnywhere(): boolean {
  const [over, hang] = useState(false);
  useEffect(() => {
    let depth = 0;
    const controller = new AbortController();
    const on = (type: "dragenter" | "dragover" | "dragleave" | "drop", act: (event: DragEvent) => void) =>
      addEventListener(type, (event) => carriesFiles(event) && (event.preventDefault(), act(event)), controller);
    on("dragenter", () => hang((depth += 1) > 0));
    on("dragleave", () => hang((depth -= 1) > 0));
    on("dragover", (event) => event.dataTransfer && (event.dataTransfer.dropEffect = "copy"));
    on("drop", (event) => {
      depth = 0;
      hang(false);
      addFiles(event.dataTransfer?.files ?? []);
    });
    return () => controller.abort();
  }, []);
  return over;
}

function usePasteAnywhere(): void {
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const files = event.clipboardData?.files;
      if (files?.length) return addFiles(files);
      const link = isTyping(event.target) ? undefined : linkIn(event.clipboardData?.getData("text") ?? "");
      if (link) void addLink(link);
    };
    addEventListener("paste", paste);
    return () => removeEventListener("paste", paste);
  }, []);
}

interface FileButtonProps {
  label: string;
  icon: "upload" | "camera";
  main?: boolean;
  capture?: boolean;
}

// A button that opens the input's dialog: the input itself cannot be drawn, and waits hidden for the dialog's answer.
function FileButton({ label, icon, main = false, capture = false }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  const chosen = () => {
    const field = input.current;
    if (!field) return;
    addFiles([...(field.files ?? [])]);
    field.value = ""; // so that the same file can be chosen again
  };
  return (
    <>
      <button
        class={main ? "button button-main" : "button camera"}
        type="button"
        onClick={() => input.current?.click()}
      >
        <Icon name={icon} /> {label}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept={capture ? "video/*" : VIDEO_ACCEPT}
        multiple={!capture}
        {...(capture ? { capture: "environment" } : {})}
        onChange={chosen}
      />
    </>
  );
}

function LinkForm() {
  const [link, type] = useState("");
  const [error, fail] = useState("");
  const send = (event: Event) => {
    event.preventDefault();
    const url = linkIn(link);
    fail(url ? "" : t.home.notLink);
    if (!url) return;
    type("");
    void addLink(url);
  };
  return (
    <form class="link-form" onSubmit={send} noValidate>
      <input
        class="input"
        type="url"
        inputMode="url"
        aria-label={t.home.link}
        placeholder={t.home.linkPlaceholder}
        value={link}
        onInput={(event) => (type(event.currentTarget.value), fail(""))}
        aria-invalid={error !== ""}
        aria-describedby="link-error"
      />
      <button class="button" type="submit">
        <Icon name="link" /> {t.home.linkGo}
      </button>
      <p id="link-error" class="field-error" role="alert">
        {error}
      </p>
    </form>
  );
}

// Compact once there is something else to look at.
export function DropZone({ compact }: { compact: boolean }) {
  const who = useStore(session);
  const over = useDropAnywhere();
  usePasteAnywhere();
  return (
    <section class={`drop ${over ? "drop-over" : ""} ${compact ? "drop-compact" : ""}`} aria-label={t.home.drop}>
      <svg class="drop-art" viewBox="0 0 96 72" aria-hidden="true" focusable="false">
        <path
          class="drop-film"
          d="M8 12h80v48H8zM8 20h80M8 52h80"
        />
        <path
          class="drop-film"
          d="M14 16h5m6 0h5m6 0h5m6 0h5m6 0h5m6 0h5m5 0h4M14 56h5m6 0h5m6 0h5m6 0h5m6 0h5m6 0h5m5 0h4"
        />
        <path class="drop-hash" d="M44 26l-3 20M55 26l-3 20M36 32h25M34 40h25" />
      </svg>
      <p class="drop-word">{over ? t.home.dropNow : t.home.drop}</p>
      <div class="drop-buttons">
        <FileButton label={t.home.choose} icon="upload" main />
        <FileButton label={t.home.camera} icon="camera" capture />
      </div>
      <p class="drop-or">{t.home.or}</p>
      <LinkForm />
      <p class="drop-facts">{t.home.facts(who?.max_bytes ?? 0)}</p>
    </section>
  );
}

import { Icon } from "../components/Icon.tsx";
import { Picture } from "../components/Picture.tsx";
import { Link } from "../router.tsx";
import { t } from "../strings.ts";

export function Missing() {
  return (
    <div class="state">
      <Picture of="search" />
      <h1 class="state-title" tabIndex={-1}>
        {t.missing.title}
      </h1>
      <p class="state-text">{t.missing.text}</p>
      <Link class="button button-main" href="/">
        <Icon name="upload" /> {t.missing.home}
      </Link>
    </div>
  );
}

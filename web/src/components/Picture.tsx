// The drawings of empty and broken states: a strip of film, and what it is about.
const SUBJECTS = {
  empty: "M48 50h24M60 38v24",
  search: "M58 58a13 13 0 1 0 0-26 13 13 0 0 0 0 26zM68 55l10 10",
  broken: "M46 36l10 9-6 7 12 12M68 34l-4 12 9 5-5 13",
  lock: "M48 48h24v18H48zM53 48v-6a7 7 0 0 1 14 0v6",
  tag: "M56 34l-4 32M70 34l-4 32M46 44h30M44 56h30",
} as const;

export type Subject = keyof typeof SUBJECTS;

export function Picture({ of }: { of: Subject }) {
  return (
    <svg class="picture" viewBox="0 0 120 100" aria-hidden="true" focusable="false">
      <path class="picture-shade" d="M14 26h92v58H14z" />
      <path class="picture-film" d="M10 20h100v60H10zM10 30h100M10 70h100" />
      <path
        class="picture-holes"
        d="M16 25h6m8 0h6m8 0h6m8 0h6m8 0h6m8 0h6m8 0h5M16 75h6m8 0h6m8 0h6m8 0h6m8 0h6m8 0h6m8 0h5"
      />
      <path class="picture-subject" d={SUBJECTS[of]} />
    </svg>
  );
}

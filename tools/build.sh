#!/usr/bin/env bash
# Sets up and builds in build/release, under one lock. Prints to stderr only, and nothing when nothing has changed.
#   tools/build.sh program        what ./run needs
#   tools/build.sh demo           what ./run demo needs
#   tools/build.sh serve          what ./run serve needs: the program with the page in it
#   tools/build.sh set-up-tests   what ./test needs, nothing built
#   tools/build.sh tests          the program with the page in it, and the tests
set -euo pipefail
exec >&2

case ${1:-} in
  program) needs=program targets=(program) options=() ;;
  demo) needs=demo targets=(program make_clips) options=() ;;
  serve) needs=serve targets=(program) options=() ;;
  set-up-tests) needs=tests targets=() options=() ;;
  tests) needs=tests targets=(program reeltag_tests) options=(-DREELTAG_TESTS=ON -DREELTAG_UNITY=OFF) ;;
  *) echo "usage: tools/build.sh program|demo|serve|set-up-tests|tests"; exit 2 ;;
esac
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
build=$root/build/release
log=$root/build/release.log

mkdir -p "$root/.deps" "$root/build"
# The children inherit the lock, so that what a killed ./run left running still holds it.
exec 9>"$root/.deps/.lock"
if ! flock -n 9; then
  echo "reeltag: another ./run or ./test is setting up or building here; waiting for it"
  flock 9
fi

"$root/tools/setup.sh" "$needs"
if ((${#targets[@]} == 0)); then exit 0; fi

cd "$root"
# A tree that was moved or copied must not build its old place.
if [[ ! -f $build/.root || $(<"$build/.root") != "$root" ]]; then rm -rf "$build"; fi

if [[ $needs == serve || $needs == tests ]]; then tools/page.sh build; fi

# Compiling against libtorch takes up to 2 GB a job.
jobs=$(awk -v cores="$(nproc)" '/^MemAvailable/ {n = int($2 / 2000000); print (n < 1 ? 1 : n > cores ? cores : n)}' /proc/meminfo)

# Shows ninja's "[12/345] ..." lines as one moving line on a terminal, as a line now and then elsewhere.
show_progress() {
  local line shown=$SECONDS moved=0
  while IFS= read -r line; do
    [[ $line == \[* ]] || continue
    if [[ -t 2 ]]; then
      printf '\r\033[K%.*s' "$((${COLUMNS:-80} - 1))" "building $line"
      moved=1
    elif ((SECONDS - shown >= 30)); then
      echo "building $line"
      shown=$SECONDS
    fi
  done
  if ((moved)); then printf '\r\033[K'; fi
}

build_failed() {
  tail -n 40 "$log"
  echo "reeltag: the build failed; the whole log is $log"
  exit 1
}

if [[ ! -f $build/build.ninja ]] || ((${#options[@]})); then
  echo "configuring (log: build/release.log)"
  # A program that is built once is built faster a dozen files at a time; who builds tests changes single files.
  if ((${#options[@]} == 0)); then options=(-DREELTAG_UNITY=ON); fi
  cmake --preset release "${options[@]}" >"$log" 2>&1 </dev/null || build_failed
  printf '%s\n' "$root" >"$build/.root"
fi
ninja -C "$build" -j "$jobs" "${targets[@]}" 2>&1 </dev/null | tee "$log" | show_progress || build_failed

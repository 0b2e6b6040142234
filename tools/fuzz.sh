#!/usr/bin/env bash
# Fuzzes what reads untrusted files: tools/fuzz.sh [SECONDS] [TARGET...]   (default: 300 seconds each of all targets)
# Needs Debian's clang-16 and libclang-rt-16-dev, and llvm-16 for readable stacks. New inputs and findings are kept in
# build/fuzz/corpus/TARGET and build/fuzz/findings; a finding, once mended, belongs into tests/fuzz/corpus/TARGET.
# Status 1 when anything was found.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"

seconds=${1:-300}
shift || true
if (($#)); then
  targets=("$@")
else
  mapfile -t targets < <(sed -n 's/^reeltag_fuzz(NAME \([a-z]*\).*/\1/p' tests/fuzz/CMakeLists.txt)
fi
if ! command -v clang++-16 >/dev/null; then
  echo "tools/fuzz.sh: clang-16 is missing. Type: apt-get install --no-install-recommends clang-16 libclang-rt-16-dev llvm-16" >&2
  exit 2
fi
tools/setup.sh tests
cmake --preset fuzz >build/fuzz-configure.log 2>&1 || { tail -n 20 build/fuzz-configure.log; exit 1; }
ninja -C build/fuzz "${targets[@]/#/fuzz_}"

findings=$root/build/fuzz/findings
mkdir -p "$findings"
symbolizer=$(command -v llvm-symbolizer-16 || true)
status=0
printf '%-12s %10s %12s %10s %9s  %s\n' target seconds inputs 'a second' corpus found
for target in "${targets[@]}"; do
  corpus=$root/build/fuzz/corpus/$target
  log=$root/build/fuzz/$target.log
  mkdir -p "$corpus"
  begin=$SECONDS
  before=$(find "$findings" -name "$target-*" | wc -l)
  ASAN_SYMBOLIZER_PATH=$symbolizer ASAN_OPTIONS=detect_container_overflow=0 \
    "build/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=1024 \
    -max_len=16384 -artifact_prefix="$findings/$target-" -print_final_stats=1 \
    "$corpus" "tests/fuzz/corpus/$target" >"$log" 2>&1 || status=1
  after=$(find "$findings" -name "$target-*" | wc -l)
  inputs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
  printf '%-12s %10d %12s %10s %9d  %s\n' "$target" $((SECONDS - begin)) "${inputs:--}" "${rate:--}" \
    "$(find "$corpus" -type f | wc -l)" "$( ((after > before)) && echo "$((after - before)): see $log" || echo nothing)"
done
exit $status

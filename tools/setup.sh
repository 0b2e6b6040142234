#!/usr/bin/env bash
# Installs what is missing: `tools/setup.sh program` for building and running reeltag, `tools/setup.sh demo` for ./run demo,
# `tools/setup.sh serve` for ./run serve, `tools/setup.sh tests` for ./test.
# Says first what it will do; prints to stderr only; does nothing, in a few milliseconds, when all is there.
# Status 2: this machine will not do, or a person must type the line that is printed.
set -euo pipefail
exec >&2

kind=${1:-}
case $kind in program | demo | serve | tests) ;; *) echo "usage: tools/setup.sh program|demo|serve|tests"; exit 2 ;; esac
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
deps=$root/.deps
venv=$deps/venv
cd "$root"

cuda=cpu
for driver in /dev/nvidiactl /usr/lib/x86_64-linux-gnu/libcuda.so.1 /usr/lib/wsl/lib/libcuda.so.1; do
  if [[ -e $driver ]]; then cuda=cuda; fi
done

tools=(tools/requirements/tests.txt tools/requirements/api_tests.txt bridges/tiktok/requirements.txt bridges/ytdlp/requirements.txt) # with pip

# What a kind needs, and one stamp for all of it: when nothing that it depends on has changed, there is nothing to do.
choose() { # KIND; sets packages, wheels, stamp, state
  local kind=$1 inputs=(tools/requirements/pip.txt tools/wheels.py tools/setup.sh)
  packages=(tools/packages/program.txt)
  wheels=(tools/requirements/program.txt)
  if [[ $cuda == cuda ]]; then wheels+=(tools/requirements/cuda.txt); fi
  case $kind in
    demo) packages+=(tools/packages/demo.txt) ;;
    serve) wheels+=(tools/requirements/page.txt) inputs+=(tools/page.sh web/package-lock.json) ;;
    tests)
      packages+=(tools/packages/tests.txt tools/packages/demo.txt)
      wheels+=(tools/requirements/page.txt tools/requirements/test_servers.txt)
      inputs+=("${tools[@]}" tools/page.sh web/package-lock.json web/tests/package-lock.json)
      ;;
  esac
  stamp=$deps/stamps/$kind.ready
  state="$root $cuda $(cat "${packages[@]}" "${wheels[@]}" "${inputs[@]}" | sha256sum)"
}
choose "$kind"
if [[ -f $stamp && $(<"$stamp") == "$state" ]]; then exit 0; fi

fail() {
  printf 'reeltag set-up: %s\n' "$@"
  exit 2
}

check_machine() {
  local machine id='' version=''
  machine=$(uname -m)
  if [[ -r /etc/os-release ]]; then
    id=$(sed -n 's/^ID=//p' /etc/os-release | tr -d '"')
    version=$(sed -n 's/^VERSION_ID=//p' /etc/os-release | tr -d '"')
  fi
  if [[ ${REELTAG_ANY_SYSTEM:-} == 1 ]]; then return; fi
  # Testing and unstable have no VERSION_ID.
  if [[ $machine != x86_64 || $id != debian || ( -n $version && ${version%%.*} -lt 12 ) ]]; then
    fail "this is ${id:-an unknown system} ${version} on $machine." \
      "It needs Debian 12 or newer on x86_64 (a container will do: docker run -it -v \"$root:/reeltag\" debian:12)." \
      "REELTAG_ANY_SYSTEM=1 skips this check; packages are then installed by apt under Debian's names."
  fi
}

missing_packages() {
  local name
  local -A installed=()
  while read -r name; do installed[$name]=1; done < <(
    dpkg-query -W -f '${Package} ${db:Status-Status}\n' 2>/dev/null | sed -n 's/ installed$//p')
  grep -hv '^#' "${packages[@]}" | while read -r name; do
    if [[ -z ${installed[$name]:-} ]]; then echo "$name"; fi
  done
}

wheel_megabytes() { # of the wheels that are not unpacked yet
  local sum=0 requirement hash size
  while read -r requirement hash _ size _; do
    hash=${hash##*:}
    if ! grep -qs "^$hash" "$deps/stamps/${requirement%%==*}"; then sum=$((sum + size)); fi
  done < <(grep -hv '^#' "${wheels[@]}")
  echo "$sum"
}

megabytes_free() { df -Pm "$1" | awk 'NR == 2 {print $4}'; }

# Less to compile where ccache has seen these files before.
cache_note() {
  local files
  command -v ccache >/dev/null || return 0
  files=$(ccache --print-stats 2>/dev/null | awk '$1 == "files_in_cache" {print $2}')
  if ((${files:-0} > 0)); then echo "; less, if the compiler cache that is here (ccache, $files files) knows this program"; fi
}

# Says what is to come and refuses when there is no room for it.
announce() {
  local fetch memory need_disk free minutes
  fetch=$(wheel_megabytes)
  memory=$(awk '/^MemTotal/ {print int($2 / 1024)}' /proc/meminfo)
  free=$(megabytes_free "$root")
  echo "reeltag set-up (once; later starts skip it):"
  if ((${#missing[@]})); then echo "  Debian packages to install: ${#missing[@]}, (a bare system needs about 200 MB of them)"; fi
  if ((fetch)); then echo "  libraries to fetch into .deps/ (PyTorch, OpenVINO, Arrow, CUDA stubs, weights of the image encoder): $fetch MB"; fi
  if [[ $kind == tests ]]; then echo "  tools for the tests: clang-format, clang-tidy, Go, TikTokApi, yt-dlp, boto3, moto, 210 MB"; fi
  if [[ $kind == serve || $kind == tests ]]; then echo "  to build the page: Node (of the libraries above) and packages of npm, 70 MB unpacked"; fi
  if [[ ! -x build/release/reeltag ]]; then
    minutes=$(((BUILD_CORE_MINUTES + $(nproc) - 1) / $(nproc)))
    echo "  program to build: about $minutes minutes on $(nproc) cores like those of docs/results.md, twice that on older ones$(cache_note)"
  fi
  # Wheels are unpacked beside the download; the build needs about 1 GB, the CUDA libraries unpack to 1.6 times.
  need_disk=$((fetch * 5 / 2 + 1000))
  echo "  disk: $free MB free here, about $need_disk MB needed; memory: $memory MB"
  if ((free < need_disk)); then fail "not enough disk space under $root: free $((need_disk - free)) MB or clone elsewhere."; fi
  if ((${#missing[@]})) && (($(megabytes_free /usr) < 1000)); then
    fail "not enough disk space under /usr: the Debian packages need about 1000 MB."
  fi
  if ((memory < 3500)); then fail "too little memory: compiling against PyTorch needs 4 GB, this machine has $memory MB."; fi
}

install_packages() {
  local as_root=() install=(apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=600 "${missing[@]}")
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      echo "reeltag set-up: Debian packages are missing and installing them needs root. Type this line, then start again:"
      local sudo=''
      if command -v sudo >/dev/null; then sudo='sudo '; else echo "(as root)"; fi
      echo "${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${missing[*]}"
      exit 2
    fi
    as_root=(sudo -n)
  fi
  echo "installing ${#missing[@]} Debian packages"
  local log
  log=$(mktemp)
  "${as_root[@]}" apt-get update >"$log" 2>&1 </dev/null || echo "apt-get update had errors; going on with the lists there are"
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${install[@]}" >>"$log" 2>&1 </dev/null; then
    tail -n 15 "$log"
    fail "apt-get could not install the packages; its log is $log."
  fi
  rm -f "$log"
}

pip_install() {
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-deps --require-hashes \
    -r "$1" </dev/null || fail "pip could not install what $1 names (messages above): check the network and pip's index."
}

# A private venv with a pip that is new enough; the system's Python is never touched.
make_venv() {
  local python=/usr/bin/python3 ready
  ready="$root $(sha256sum <tools/requirements/pip.txt)"
  if [[ -f $venv/ready && $(<"$venv/ready") == "$ready" ]]; then return; fi
  if [[ ! -x $python ]]; then python=python3; fi
  "$python" -m venv --clear "$venv"
  pip_install tools/requirements/pip.txt
  echo "$ready" >"$venv/ready"
}

# The S3 server that the tests of the store talk to. Go checks all that it fetches against its public checksum database.
VERSITYGW=1.8.0
build_versitygw() {
  local work=$deps/go program=$deps/bin/versitygw go
  if [[ -x $program && $(<"$program.version") == "$VERSITYGW" ]]; then return; fi
  echo "building versitygw $VERSITYGW (about 3 core-minutes, once)"
  rm -rf "$work"
  mkdir -p "$deps/bin"
  go=$("$venv/bin/python" -c 'import go, os; print(os.path.join(os.path.dirname(go.__file__), "bin", "go"))')
  if ! env GOENV=off GOTOOLCHAIN=local GOSUMDB=sum.golang.org GOFLAGS='-mod=mod -modcacherw' CGO_ENABLED=0 GOBIN="$work" \
    GOPATH="$work/path" GOCACHE="$work/cache" \
    "$go" install "github.com/versity/versitygw/cmd/versitygw@v$VERSITYGW" </dev/null; then
    fail "versitygw could not be built (messages above): check the network and GOPROXY."
  fi
  mv "$work/versitygw" "$program"
  echo "$VERSITYGW" >"$program.version"
  rm -rf "$work"
}

# The proxy of deploy/nginx. Unpacked only: installed, Debian would start it as a service.
unpack_nginx() {
  local work=$deps/nginx.new
  if [[ -x $deps/nginx/usr/sbin/nginx ]]; then return; fi
  rm -rf "$work"
  mkdir -p "$work"
  if ! (cd "$work" && apt-get download nginx && dpkg-deb -x nginx_*.deb .) >"$work/log" 2>&1 </dev/null; then
    cat "$work/log"
    fail "Debian's package nginx could not be fetched (messages above): apt-get update, then start again."
  fi
  rm -rf "$deps/nginx" "$work"/nginx_*.deb
  mv "$work" "$deps/nginx"
}

BUILD_CORE_MINUTES=6 # of a program build from nothing (docs/results.md, "Time to build")
check_machine
rm -f "$deps/stamps/"*.ready # whatever is interrupted from here on is looked at again
mapfile -t missing < <(missing_packages)
announce
if ((${#missing[@]})); then install_packages; fi
mkdir -p "$deps/stamps"
make_venv
options=()
if [[ $cuda == cuda ]]; then options+=(--cuda); fi
python3 tools/wheels.py --deps "$deps" --python "$venv/bin/python" "${options[@]}" "${wheels[@]}"
if [[ $kind == tests ]]; then
  for requirements in "${tools[@]}"; do pip_install "$requirements"; done
  build_versitygw
  unpack_nginx
  tools/page.sh install tests
elif [[ $kind == serve ]]; then
  tools/page.sh install
fi
write_stamp() {
  printf '%s\n' "$state" >"$stamp.new"
  mv "$stamp.new" "$stamp"
}
write_stamp
# Who serves also tags: ./run must not set up again each time the word changes.
if [[ $kind == serve ]]; then
  choose program
  write_stamp
fi

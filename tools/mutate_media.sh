#!/usr/bin/env bash
# The mutation run: tools/mutate_media.sh [COUNT]   (default: 1000 damaged copies of a clip in each format)
# Draws one clip a format with ffmpeg, damages it COUNT times and decodes every copy in an isolated worker. Prints a
# table; status 1 when a copy was refused without a reason, outlived its deadline or took too much memory.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"
count=${1:-1000}
tools/build.sh tests >&2

clips=$(mktemp -d)
trap 'rm -rf "$clips"' EXIT
draw() { # NAME OPTIONS...
  local name=$1
  shift
  ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=size=96x64:rate=12:duration=2 -f lavfi -i sine=duration=2 "$@" \
    -shortest "$clips/$name"
}
x265=(-c:v libx265 -x265-params log-level=error:pools=1)
vp9=(-c:v libvpx-vp9 -deadline realtime -cpu-used 8)
draw h264.mp4 -c:v libx264 -pix_fmt yuv420p -c:a aac -movflags +faststart
draw fragmented.mp4 -c:v libx264 -pix_fmt yuv420p -c:a aac -movflags frag_keyframe+empty_moov
draw hevc10.mp4 "${x265[@]}" -pix_fmt yuv420p10le -c:a aac
draw prores.mov -c:v prores_ks -pix_fmt yuva444p10le -c:a pcm_s16le
draw vp9.webm "${vp9[@]}" -c:a libopus
draw vp8.webm -c:v libvpx -deadline realtime -cpu-used 8 -c:a libvorbis
draw av1.mkv -c:v libaom-av1 -cpu-used 8 -usage realtime -c:a libopus
draw mpeg4.avi -c:v mpeg4 -c:a mp3
draw mpeg2.ts -c:v mpeg2video -c:a mp2
draw h264.flv -c:v libx264 -pix_fmt yuv420p -c:a aac
draw moving.gif -an
build/release/mutate_media --count "$count" "$clips"/* | tee "$root/build/mutations.jsonl" | python3 tools/mutation_table.py
exit "${PIPESTATUS[0]}"

#!/usr/bin/env bash
# Trains the starter model and writes models/starter: tools/train_starter.sh DATA [HOME]
# DATA holds actions/ and captioned/, each with a manifest.jsonl (docs/results.md says what they are). About 20 minutes of
# one core. HOME keeps the catalog and the runs; a finished run of the net in it is used again.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
data=${1:?usage: tools/train_starter.sh DATA [HOME]}
home=${2:-$(mktemp -d)}
reeltag() { "$root/build/release/reeltag" --home "$home" "$@"; }

[ -d "$home/store" ] || reeltag import "$data/actions" "$data/captioned"
id=$(reeltag dataset freeze --labels multi --vocabulary "$root/configs/vocabulary/starter.txt" --min-support 8 \
  --val 15 --test 15 --salt starter --by group --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["dataset"])')

# The MViT, from scratch: a block of the head where it helps, and what tags where there is no image_encoder.
if [ ! -f "$home/runs/starter-net/bundle/bundle.json" ]; then
  reeltag train --dataset "$id" --recipe "$root/configs/small/starter.yaml" --run starter-net --set train.threads=1 \
    --set train.half=true
fi
# The head over the image encoder, and over the net where that is clearly better on val. A hashtag ships with four times its prior as AP on videos that the head did not see, and is
# shown from where half of such videos have it.
rm -rf "$home/runs/starter"
reeltag train --frozen --dataset "$id" --from starter-net --run starter \
  --set train.min_lift=4 --set train.half=true --set train.precision=0.5
reeltag evaluate --run starter --split test

mkdir -p "$root/models/starter"
cp "$home/runs/starter/bundle/"{bundle.json,recipe.yaml,weights.safetensors,head.safetensors} "$root/models/starter/"
echo "wrote $root/models/starter; update card.md with the figures of $home/runs/starter/metrics.json" >&2

#!/usr/bin/env bash
# The command line on scikit-learn's handwritten digits: a grid search, the accuracy on
# held-out images, predictions of single files, and the contents of the model file.
# Usage: examples/command_line.sh [FOLDER], with one subfolder of images per class.
set -euo pipefail

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
folder=${1:-$out/digits}
[ -d "$folder" ] || python -c "import skvision; skvision.export_digits('$folder', n_per_class=40)"

skvision train "$folder" --out "$out/model.skv" --image-size 8 --epochs 6 \
  --search learning_rate=0.1,0.01,0.001 --cv 3
skvision evaluate "$out/model.skv" "$folder"
find "$folder" -type f | sort | sed -n 1,3p | skvision predict "$out/model.skv" - --top 2
skvision info "$out/model.skv"

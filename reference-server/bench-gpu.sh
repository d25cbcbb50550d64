#!/usr/bin/env bash
# For a machine with a GPU, Linux on x64: installs the build of node-llama-cpp for it, then judges the reference server
# with the full profile and measures it, on the shipped model and on a larger one, on the CPU and on the GPU. It prints a
# table in Markdown, and ends with 1 where a step failed or a server is not conformant.
# usage: npm run bench:gpu [-- cuda|vulkan|false]; false takes the CPU alone.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
  echo "error: $1" >&2
  exit 2
}

gpu=${1:-}
[ -n "$gpu" ] || { if command -v nvidia-smi > /dev/null; then gpu=cuda; else gpu=vulkan; fi; }
case $gpu in
  cuda) builds='linux-x64-cuda linux-x64-cuda-ext' ;;
  vulkan) builds=linux-x64-vulkan ;;
  false) builds= ;;
  *) usage "take cuda, vulkan or false, not $gpu" ;;
esac
[ -z "$builds" ] || [ "$(uname -sm)" = 'Linux x86_64' ] || usage 'this knows the builds for Linux on x64 alone'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
trap 'exit 1' ERR

# step WORDS COMMAND…: a line that tells how it went. What the command said is shown where it failed.
step() {
  local words=$1 since=$SECONDS code=0
  shift
  "$@" > "$work/words" 2>&1 || code=$?
  [ $code = 0 ] || cat "$work/words" >&2
  echo "$words: $([ $code = 0 ] && echo "done" || echo "FAILED with $code") after $((SECONDS - since)) s" >&2
  return $code
}

install_builds() {
  local version build packages=()
  version=$(node -p "require('./package.json').devDependencies['node-llama-cpp']")
  for build in $builds; do packages+=("@node-llama-cpp/$build@$version"); done
  npm install --no-save --ignore-scripts --no-audit --no-fund "${packages[@]}"
}

# The full profile takes real clients, some of them in Python.
install_clients() {
  python3 -m venv "$work/clients" && "$work/clients/bin/pip" install --quiet -r suites/clients/requirements.txt
}

judge() {
  node dist/stack29-conformance.js --gguf "$1" --gpu "$2" --profile full --python "$work/clients/bin/python" \
    --timeout 600 --no-color
}

[ -z "$builds" ] || step "install node-llama-cpp for $gpu" install_builds
step 'build' npm run --silent build
step 'install the clients in Python' install_clients
step 'fetch the larger model' npm run --silent fetch:model
larger=$(npm run --silent fetch:model)

code=0
figures=()
printf '| full profile\n| ---\n' > "$work/verdicts"
for model in fixtures/model/stack29-tiny.gguf "$larger"; do
  for on in $([ "$gpu" = false ] || echo false) "$gpu"; do
    name="$(basename "$model" .gguf), --gpu $on"
    verdict=conformant
    step "judge $name" judge "$model" "$on" || {
      case $? in 1) verdict='NOT conformant' ;; 3) verdict=incomplete ;; *) verdict=failed ;; esac
      code=1
    }
    # A second is too short for a larger model on a CPU.
    if step "measure $name" node dist/bench-server.js --model "$model" --gpu "$on" --seconds 3 --out "$work/$name.json"; then
      figures+=("$work/$name.json")
      echo "| $verdict" >> "$work/verdicts"
    else
      code=1
    fi
  done
done
[ ${#figures[@]} = 0 ] || node dist/bench-server.js --row "${figures[@]}" | paste -d ' ' "$work/verdicts" -
exit $code

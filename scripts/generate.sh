#!/usr/bin/env bash
# Writes src/gen anew from proto/. Needs no network.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
buf format --write proto
buf build -o /dev/null
buf generate

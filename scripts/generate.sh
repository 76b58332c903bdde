#!/usr/bin/env bash
# Writes src/gen anew from proto/, and the reference of settings from their schema. With --check, only says whether
# src/gen would change. Needs no network.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh

case "${1-}" in
  "")
    buf format --write proto
    buf build -o /dev/null
    buf generate
    node scripts/config-reference.ts
    ;;
  --check)
    fresh=$(mktemp -d)
    trap 'rm -rf "$fresh"' EXIT
    buf format --diff --exit-code proto
    buf generate -o "$fresh"
    diff -r "$fresh/src/gen" src/gen || { echo "src/gen is not what proto/ gives: run make generate" >&2; exit 1; }
    ;;
  *) echo "usage: $0 [--check]" >&2; exit 2 ;;
esac

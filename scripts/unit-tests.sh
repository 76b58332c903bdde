#!/usr/bin/env bash
# Runs the unit tests, some twenty files in a process: each in one of its own, most of the time would go to loading the same modules again.
# What a process says comes whole, in the end what failed.
# Usage: scripts/unit-tests.sh MILLISECONDS-A-TEST
set -euo pipefail
shopt -s globstar nullglob
cd "$(dirname "$0")/.."
limit=$1
files=({src,bench,scripts}/**/*.test.ts)
logs=$(mktemp -d)
# Each part is a group of processes, which ends with this script.
set -m
trap 'for each in $(jobs -p); do kill -- "-$each" 2>/dev/null || true; done; rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM
# Many small parts end together; three at once, as some wait for the disk.
parts=6
side_by_side=3

# part NUMBER: every so-many-th file
part() {
  local i chosen=()
  for ((i = $1 - 1; i < ${#files[@]}; i += parts)); do chosen+=("${files[i]}"); done
  # A test that ended the process would take the others with it: the summary shows that none did.
  { UNIT_TESTS=$(printf '%s\n' "${chosen[@]}") timeout --foreground --kill-after=10 5m node --test --test-isolation=none "--test-timeout=$limit" \
    scripts/unit-tests-part.ts >"$logs/$1" 2>&1 && grep -q '^ℹ duration_ms ' "$logs/$1"; } ||
    echo "$1" >>"$logs/failed"
}

for ((number = 1; number <= parts; number++)); do
  ((number <= side_by_side)) || wait -n
  part "$number" &
done
wait

for ((number = 1; number <= parts; number++)); do
  grep -qsx "$number" "$logs/failed" || cat "$logs/$number"
done
[ ! -e "$logs/failed" ] || while read -r number; do
  echo "== part $number failed"
  cat "$logs/$number"
done <"$logs/failed"
cat "$logs"/[0-9]* | awk '$1 == "ℹ" && $2 ~ /^(tests|pass|fail|cancelled|skipped)$/ { sum[$2] += $3 }
  END { printf "In all %d tests: %d passed, %d failed, %d cancelled, %d skipped\n", sum["tests"], sum["pass"], sum["fail"], sum["cancelled"], sum["skipped"] }'
[ ! -e "$logs/failed" ]

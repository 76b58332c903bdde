#!/usr/bin/env bash
# Runs targets of the Makefile, all of them whatever fails, and says at the end how each went. Usage: scripts/suites.sh STAGE...
# A stage is a list of targets, or two such lanes with a `|` between them, which run side by side: a suite keeps hardly more than one core
# busy. When the first lane is done, it goes on with the second's targets from their end. What a suite prints comes whole when it has ended.
# SUITE_LANES=1 runs everything one after the other.
set -uo pipefail
cd "$(dirname "$0")/.."
logs=$(mktemp -d) || exit
trap 'rm -rf "$logs"' EXIT
trap 'exit 130' INT TERM

# lane TARGET...
lane() {
  local suite started outcome
  for suite in "$@"; do
    # Taken by the other lane. Where the folder is not there for any other reason, the suite runs, and fails for want of a place for what it prints.
    mkdir "$logs/$suite.taken" 2>/dev/null || [ ! -d "$logs/$suite.taken" ] || continue
    echo "== $suite begins" >&2
    started=$SECONDS
    if make --no-print-directory "$suite" </dev/null >"$logs/$suite" 2>&1; then outcome=passed; else outcome=FAILED; fi
    flock "$logs" sh -c 'echo "== $1"; cat "$2"' - "$suite" "$logs/$suite"
    printf '%-18s %s %5d s\n' "$suite" "$outcome" $((SECONDS - started)) >>"$logs/summary"
  done
}

reversed() { tr -s ' ' '\n' <<<"$1" | tac; }

for stage in "$@"; do
  # shellcheck disable=SC2086 # targets are words
  if [[ $stage == *"|"* && ${SUITE_LANES:-2} != 1 ]]; then
    lane ${stage%%|*} $(reversed "${stage#*|}") &
    lane ${stage#*|} &
    wait
  else
    lane ${stage//|/ }
  fi
done
echo "== summary"
cat "$logs/summary"
# A lane that was ended, or had no room to write, left some out.
wanted=$(tr -s ' |' '\n\n' <<<"$*" | grep . | sort -u | wc -l)
passed=$(grep -c ' passed ' "$logs/summary")
[ "${passed:-0}" = "$wanted" ] || {
  echo "== $((wanted - ${passed:-0})) of $wanted suites did not pass"
  exit 1
}

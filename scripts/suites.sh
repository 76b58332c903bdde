#!/usr/bin/env bash
# Runs the given targets of the Makefile one after the other, all of them whatever fails, and says at the end how each went.
set -uo pipefail
cd "$(dirname "$0")/.."

summary=()
failed=0
for suite in "$@"; do
  echo "== $suite"
  started=$SECONDS
  if make --no-print-directory "$suite" </dev/null; then outcome=passed; else outcome=FAILED failed=1; fi
  summary+=("$(printf '%-18s %s %5d s' "$suite" "$outcome" $((SECONDS - started)))")
done
echo "== summary"
printf '%s\n' "${summary[@]}"
exit $failed

#!/usr/bin/env bash
# Bundles the sources as they are into .cache/programs, whose programs the tests run (see test/support/program-file.ts). Where nothing has
# changed since, it leaves what is there alone, as suites run side by side.
. "$(dirname "$0")/clients/debian.sh"
programs=.cache/programs
[ -n "$(find src scripts/build.ts package-lock.json -newer $programs/LICENSES -print -quit 2>&1)" ] || exit 0
node scripts/build.ts $programs.new
rm -rf $programs
mv $programs.new $programs

#!/usr/bin/env bash
# Bundles the sources as they are into .cache/programs, whose programs the tests run (see test/support/program-file.ts). Where nothing has
# changed since, it leaves what is there alone, as suites run side by side.
. "$(dirname "$0")/clients/debian.sh"
programs=.cache/programs
begun=$programs/begun
# A file that goes while find walks makes its folder newer, so what find says of it need not be heard.
if [ -e $begun ] && [ -z "$(find src scripts/build.ts package.json package-lock.json -newer $begun -print -quit 2>/dev/null)" ]; then exit 0; fi

# The name is a link, which is replaced in one step. The folder that it leaves stays until the next time: another suite may run what is in it.
[ -L $programs ] || rm -rf $programs
before=$(readlink $programs || true)
for each in $programs.*; do
  [ "${each##*/}" = "$before" ] || rm -rf "$each"
done
folder=$(mktemp -d $programs.XXXXXX)
# From before the build: what is saved while it runs is newer.
stamp=$folder.begun
touch "$stamp"
node scripts/build.ts "$folder"
mv "$stamp" "$folder/begun"
ln -s "${folder##*/}" $programs.link
mv -T $programs.link $programs

#!/usr/bin/env bash
# Brings what every test may use besides Node; each suite with real clients brings those itself.
. "$(dirname "$0")/clients/debian.sh"
command -v openssl >/dev/null || ensure_packages openssl
command -v strace >/dev/null || ensure_packages strace
for program in bzip2 xz:xz-utils zip zstd; do
  command -v "${program%:*}" >/dev/null || ensure_packages "${program#*:}"
done
command -v cc >/dev/null || ensure_packages gcc libc6-dev
recorder=.cache/recorder.so
if [ ! -e "$recorder" ] || [ test/power/recorder.c -nt "$recorder" ]; then
  cc -O2 -Wall -Wextra -Werror -shared -fPIC -o "$recorder.new" test/power/recorder.c
  mv "$recorder.new" "$recorder"
fi

#!/usr/bin/env bash
# Brings what every test may use besides Node; each suite with real clients brings those itself. `test-setup.sh deb` brings what builds,
# judges and boots the Debian package.
. "$(dirname "$0")/clients/debian.sh"
command -v openssl >/dev/null || ensure_packages openssl
command -v strace >/dev/null || ensure_packages strace
command -v systemd-socket-activate >/dev/null || ensure_packages systemd
for program in bzip2 fish xz:xz-utils zip zsh zstd; do
  command -v "${program%:*}" >/dev/null || ensure_packages "${program#*:}"
done
command -v cc >/dev/null || ensure_packages gcc libc6-dev
recorder=.cache/recorder.so
if [ ! -e "$recorder" ] || [ test/power/recorder.c -nt "$recorder" ]; then
  cc -O2 -Wall -Wextra -Werror -shared -fPIC -o "$recorder.new" test/power/recorder.c
  mv "$recorder.new" "$recorder"
fi
if [ "${1:-}" = deb ]; then
  ensure_packages adduser curl init-system-helpers libatomic1 lintian man-db systemd
fi

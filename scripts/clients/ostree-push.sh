#!/usr/bin/env bash
# Brings the ostree-push and ostree-receive of Debian, what they push, sign and go through, and further versions, each into .cache/clients/ostree-push-VERSION.
# Usage: scripts/clients/ostree-push.sh [VERSION...]
. "$(dirname "$0")/debian.sh"

ensure_packages ostree-push ostree openssh-server openssh-client gnupg
[ $# = 0 ] || python3 -c 'import ensurepip, venv' 2>/dev/null || ensure_packages python3 python3-venv

for version in "$@"; do
  venv=$clients/ostree-push-$version
  # The answer of the program itself is the stamp: it fails after half an installation or a moved checkout.
  [ "$("$venv/bin/ostree-push" --version 2>/dev/null)" = "ostree-push $version" ] && continue
  echo "Installing ostree-push $version into .cache/clients/ostree-push-$version" >&2
  rm -rf "$venv"
  # What it imports is there: it is the same as for Debian's own.
  /usr/bin/python3 -m venv --system-site-packages "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check --no-compile --no-deps "ostree-push==$version"
  [ "$("$venv/bin/ostree-push" --version)" = "ostree-push $version" ]
done

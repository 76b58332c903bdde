#!/usr/bin/env bash
# Brings BuildStream in one or more versions, each into .cache/clients/bst-VERSION, and what its sandbox needs.
# Usage: scripts/clients/bst.sh [VERSION...]     (2.8.1 and 2.4.1 unless told)
. "$(dirname "$0")/debian.sh"

ensure_packages bubblewrap busybox-static openssl
python3 -c 'import ensurepip, venv' 2>/dev/null || ensure_packages python3 python3-venv

[ $# -gt 0 ] || set -- 2.8.1 2.4.1
for version in "$@"; do
  venv=$clients/bst-$version
  # The answer of the program itself is the stamp: it fails after half an installation or a moved checkout.
  [ "$("$venv/bin/bst" --version 2>/dev/null)" = "$version" ] && continue
  echo "Installing BuildStream $version into .cache/clients/bst-$version" >&2
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install -q --disable-pip-version-check --no-compile \
    -r scripts/clients/bst-requirements.txt "BuildStream==$version"
  [ "$("$venv/bin/bst" --version)" = "$version" ]
done

#!/usr/bin/env bash
# Brings releases of BuildStream's 1.9x series, each into .cache/clients/bst-VERSION, where a Python 3.8 is at hand: no newer
# one runs them, and Debian has none. They come as sources, which are compiled.
# Usage: scripts/clients/bst19.sh VERSION...
. "$(dirname "$0")/debian.sh"

python=$(compgen -G "${PYENV_ROOT:-$HOME/.pyenv}/versions/3.8.*/bin/python3.8" | head -n 1 || command -v python3.8 || true)
if [ -z "$python" ] || ! "$python" -c 'import venv' 2>/dev/null; then
  echo "SKIPPED: BuildStream $* needs Python 3.8, and there is none here" >&2
  exit 0
fi
ensure_packages bubblewrap busybox-static gcc
for version in "$@"; do
  venv=$clients/bst-$version
  [ "$("$venv/bin/bst" --version 2>/dev/null)" = "$version" ] && continue
  echo "Installing BuildStream $version into .cache/clients/bst-$version" >&2
  rm -rf "$venv"
  "$python" -m venv "$venv"
  pip=("$venv/bin/pip" install -q --disable-pip-version-check --no-compile)
  "${pip[@]}" -r scripts/clients/bst19-requirements.txt
  "${pip[@]}" --no-build-isolation --no-deps "BuildStream==$version"
  [ "$("$venv/bin/bst" --version)" = "$version" ]
done

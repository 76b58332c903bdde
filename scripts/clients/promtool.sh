#!/usr/bin/env bash
# Brings promtool, which checks metrics and alert rules, into .cache/clients/bin: out of Debian's package of Prometheus, without installing the rest of it.
. "$(dirname "$0")/debian.sh"
target=$clients/bin/promtool
[ -x "$target" ] && exit
if installed=$(command -v promtool); then
  ln -sf "$installed" "$target"
  exit
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
[ "$(id -u)" != 0 ] || apt-get update -qq
apt-get download -qq -o APT::Sandbox::User=root prometheus >/dev/null
dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool
mv usr/bin/promtool "$target"

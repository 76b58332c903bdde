#!/usr/bin/env bash
# Brings h2spec, the HTTP/2 conformance checker, into .cache/clients/bin.
. "$(dirname "$0")/debian.sh"

"$clients/bin/h2spec" --version >/dev/null 2>&1 && exit
. scripts/clients/go.sh
echo "Building h2spec" >&2
# The module names no versions of what it uses; here they are, those that Debian 12's Go builds.
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
cat >"$build/go.mod" <<'EOF'
module h2spec-build

go 1.19

require (
	github.com/fatih/color v1.15.0
	github.com/spf13/cobra v1.7.0
	github.com/summerwind/h2spec v2.2.1+incompatible
	golang.org/x/net v0.17.0
)
EOF
(cd "$build" && go install github.com/summerwind/h2spec/cmd/h2spec)

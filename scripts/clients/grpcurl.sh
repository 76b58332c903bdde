#!/usr/bin/env bash
# Brings grpcurl into .cache/clients/bin. The version is the last that Debian 12's Go builds.
. "$(dirname "$0")/debian.sh"

"$clients/bin/grpcurl" --version >/dev/null 2>&1 && exit
. scripts/clients/go.sh
echo "Building grpcurl" >&2
go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.8.9

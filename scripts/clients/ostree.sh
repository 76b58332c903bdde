#!/usr/bin/env bash
# Brings OSTree's own program, and what signatures and downloads are tried with.
. "$(dirname "$0")/debian.sh"

ensure_packages ostree gnupg curl openssl jq

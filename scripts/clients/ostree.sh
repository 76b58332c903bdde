#!/usr/bin/env bash
# Brings OSTree's own program.
. "$(dirname "$0")/debian.sh"

ensure_packages ostree gnupg openssl

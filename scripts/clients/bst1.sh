#!/usr/bin/env bash
# Brings BuildStream 1.6.8 as Debian packages it, and what its sandbox needs.
. "$(dirname "$0")/debian.sh"

ensure_packages buildstream bubblewrap busybox-static openssl

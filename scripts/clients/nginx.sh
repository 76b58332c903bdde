#!/usr/bin/env bash
# Brings nginx, and what asks through it.
. "$(dirname "$0")/debian.sh"

ensure_packages nginx-light curl openssl

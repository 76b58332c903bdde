#!/usr/bin/env bash
# Brings Debian's Bazel (4.2.3 on Debian 12), which needs nothing from the network to build genrules.
. "$(dirname "$0")/debian.sh"

ensure_packages bazel-bootstrap

#!/usr/bin/env bash
# Brings OpenSSH's server and client, and libostree for Python and on the command line: what pushes by ssh, and pulls again.
. "$(dirname "$0")/debian.sh"

ensure_packages openssh-server openssh-client ostree python3-gi gir1.2-ostree-1.0

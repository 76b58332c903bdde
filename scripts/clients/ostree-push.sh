#!/usr/bin/env bash
# Brings the ostree-push and ostree-receive of Debian, and what they push, sign and go through.
. "$(dirname "$0")/debian.sh"

ensure_packages ostree-push ostree openssh-server openssh-client gnupg

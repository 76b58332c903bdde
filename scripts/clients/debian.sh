# Sourced: what the installers of the client programs share.
# They bring real clients to test against; a second run finds everything there and prints nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
clients=$PWD/.cache/clients
mkdir -p "$clients/bin"
# Suites run side by side, and two of them may want the same program.
exec {setup_lock}>.cache/setup.lock
flock "$setup_lock"

# ensure_packages PACKAGE...: installs the Debian packages that are not there yet.
ensure_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  if [ "$(id -u)" != 0 ]; then
    echo "Debian packages missing: ${missing[*]}. Install them, or run this as root." >&2
    exit 1
  fi
  echo "Installing the Debian packages ${missing[*]}" >&2
  # A package may start a service, which must not inherit the lock.
  apt-get update -qq {setup_lock}>&-
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" {setup_lock}>&- >/dev/null
}

# Sourced after debian.sh: Go, from Debian where the machine has none. Go 1.19 is enough for everything built here.
command -v go >/dev/null || ensure_packages golang-go ca-certificates
export GOFLAGS=-mod=mod GOTOOLCHAIN=local GOBIN=$clients/bin

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# The checkout's own Node, where there is one, and its tools come first.
export PATH := $(CURDIR)/.node/bin:$(CURDIR)/node_modules/.bin:$(PATH)
# Tests start the programs many hundred times: what is compiled once takes a third of the time.
export NODE_COMPILE_CACHE := $(CURDIR)/.cache/compiled
# What test-programs makes of the sources, and tests run (test/support/program-file.ts).
export BUILT_PROGRAMS := $(CURDIR)/.cache/programs

# Where the environment names a proxy, what goes out takes it; the servers that tests start on this machine are not to be asked of it.
own-addresses := localhost,127.0.0.1,127.0.0.0/8,::1
comma := ,
with-own = $(if $(findstring $(own-addresses),$(1)),$(1),$(if $(1),$(1)$(comma))$(own-addresses))
direct := $(call with-own,$(or $(no_proxy),$(NO_PROXY)))
export no_proxy := $(direct)
export NO_PROXY := $(direct)
ifdef no_grpc_proxy
export no_grpc_proxy := $(call with-own,$(no_grpc_proxy))
endif

# A test that takes this long (milliseconds) hangs; the slowest takes a fraction of it.
unit-limit := 60000
process-limit := 300000
# The runner reports a test that is over its time, but waits for whatever still runs in it: that takes a limit of the whole suite.
node-test = timeout --kill-after=10 15m node --test --test-timeout=$(1)

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Bring Node, where the machine's is too old, and the npm packages into the checkout
	@scripts/node.sh

STORE = ./cache
LISTEN = 127.0.0.1:11001
.PHONY: serve
serve: setup ## Serve a cache from source; STORE=./cache LISTEN=127.0.0.1:11001 unless told
	@exec node --max-semi-space-size=4 src/main.ts serve $(STORE) --listen $(LISTEN)

.PHONY: build
build: setup ## Bundle the programs and the library into dist/, for bin/ and npm pack
	node scripts/build.ts
	node scripts/code.ts
	node scripts/declarations.ts
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || stat -c %Y package.json)} node scripts/manual.ts dist/manual

.PHONY: deb
deb: build ## The Debian package, with all that it needs, in dist/deb/; DEB_VERSION=1.2.3-1 for another version
	@scripts/deb.sh

.PHONY: test
test: setup ## Everything that is checked before a change is taken
	@scripts/suites.sh lint test-unit "test-cli test-fault test-power test-package test-deb test-docs | test-conformance $(client-suites)" test-soak

.PHONY: lint
lint: setup ## Types, style, the rules of the house, generated code
	tsc
	biome check
	node scripts/lint.ts
	scripts/generate.sh --check

.PHONY: test-setup
test-setup: setup
	@scripts/test-setup.sh

.PHONY: test-programs
test-programs: setup
	@scripts/test-programs.sh

.PHONY: test-unit
test-unit: test-setup ## Unit tests, which stand beside their source
	@scripts/unit-tests.sh $(unit-limit)

.PHONY: test-cli
test-cli: test-setup test-programs ## The programs as processes: commands, settings, signals, exit statuses
	$(call node-test,$(process-limit)) 'test/cli/**/*.test.ts'

.PHONY: test-fault
test-fault: test-setup test-programs ## Kills, damage, full disks, archives that mean harm
	$(call node-test,$(process-limit)) 'test/fault/**/*.test.ts'

.PHONY: test-power
test-power: test-setup ## Power cuts, simulated at some hundred moments of real processes
	$(call node-test,$(process-limit)) 'test/power/**/*.test.ts'

.PHONY: test-conformance
test-conformance: test-setup test-programs ## The API's semantics, also against buildbox-casd, and bounded fuzzing
	@scripts/clients/bst.sh 2.8.1
	$(call node-test,$(process-limit)) 'test/conformance/**/*.test.ts'

.PHONY: test-soak
test-soak: test-setup build ## A minute of 200 connections that push, pull, break off and talk nonsense; SOAK_SECONDS=60
	$(call node-test,$(process-limit)) 'test/soak/**/*.test.ts'

.PHONY: test-package
test-package: test-setup ## What npm packs, installed into an empty folder
	$(call node-test,$(process-limit)) 'test/package/**/*.test.ts'

.PHONY: test-deb
test-deb: test-setup build ## The Debian package on a machine with systemd, from installation to purge, and docs/OPERATING.md there
	@scripts/test-setup.sh deb
	deb=$$(DEB_COMPRESSION="-Zgzip -z1" scripts/deb.sh | tail -n 1); DEB_FILE=$$deb $(call node-test,$(process-limit)) --test-concurrency=2 'test/deb/**/*.test.ts'

.PHONY: test-docs
test-docs: test-setup test-programs ## What the documentation says: links, snippets, commands
	@scripts/clients/bst.sh 2.8.1
	@scripts/clients/bst1.sh
	@scripts/clients/grpcurl.sh
	@scripts/clients/promtool.sh
	$(call node-test,$(process-limit)) 'test/docs/**/*.test.ts'

-include test/clients/targets.mk

.PHONY: bench
bench: setup ## Compare with other servers; node bench/run.ts --help
	node bench/run.ts

.PHONY: generate
generate: setup ## Write src/gen and docs/CONFIGURATION.md anew
	scripts/generate.sh

.PHONY: clean
clean: ## Remove what was built or brought; ./cache stays
	rm -rf dist node_modules .node .cache

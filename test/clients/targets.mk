# Included by the Makefile: the suites with real clients. README.md beside this file says what each one is.

# In the order of `make test`, whose other lane takes them from the end (scripts/suites.sh); `make test-clients` runs one after the other.
client-suites := test-bst2 test-bst24 test-bst1 test-bst19 test-bazel test-nginx test-grpcurl test-casd test-import test-ostree test-push test-release test-remotes test-artifacts test-build test-h2spec

# Milliseconds for a whole suite, three times what the slowest takes when it has two cores to itself: beside a suite of the other lane it takes up to twice as long.
client-limit := 600000

.PHONY: test-clients $(client-suites)

test-clients: ## Real clients, all of them
	@for suite in $(client-suites); do $(MAKE) "$$suite"; done

test-bst2: test-programs ## BuildStream 2.8.1
	@scripts/clients/bst.sh 2.8.1
	$(call node-test,$(client-limit)) test/clients/bst2.test.ts

test-bst24: test-programs ## BuildStream 2.4.1, alone and beside 2.8.1
	@scripts/clients/bst.sh 2.4.1 2.8.1
	$(call node-test,$(client-limit)) test/clients/bst24.test.ts

test-bst1: test-programs ## BuildStream 1.6.8, alone and beside 2.8.1
	@scripts/clients/bst1.sh
	@scripts/clients/bst.sh 2.8.1
	$(call node-test,$(client-limit)) test/clients/bst1.test.ts

test-bst19: test-programs ## BuildStream 1.93.4 and 1.95.6, where a Python 3.8 is at hand
	@scripts/clients/bst19.sh 1.93.4.dev0 1.95.6.dev0
	@scripts/clients/bst.sh 2.8.1
	$(call node-test,$(client-limit)) test/clients/bst19.test.ts

test-bazel: test-programs ## Bazel 4.2.3, by gRPC and HTTP, and its downloads through the server
	@scripts/clients/bazel.sh
	$(call node-test,$(client-limit)) test/clients/bazel.test.ts test/clients/bazel-origin.test.ts

test-nginx: test-programs ## nginx before the server, with BuildStream and curl
	@scripts/clients/nginx.sh
	@scripts/clients/bst.sh 2.8.1
	$(call node-test,$(client-limit)) test/clients/nginx.test.ts

test-grpcurl: test-programs ## grpcurl, by reflection
	@scripts/clients/grpcurl.sh
	$(call node-test,$(client-limit)) test/clients/grpcurl.test.ts

test-casd: test-programs ## buildbox-casd as a proxy, blobs in chunks too
	@scripts/clients/bst.sh 2.8.1
	@scripts/clients/grpcurl.sh
	$(call node-test,$(client-limit)) test/clients/casd.test.ts test/clients/casd-chunks.test.ts

test-artifacts: test-programs ## BuildStream 2.8.1 and 1.6.8 on caches that we read and write
	@scripts/clients/bst1.sh
	@scripts/clients/bst.sh 2.8.1
	$(call node-test,$(client-limit)) test/clients/local-cache.test.ts test/clients/reading-artifacts.test.ts test/clients/transfers.test.ts

test-import: test-programs ## Directories of BuildStream's own servers and of buildbox-casd, and OSTree repositories, taken over
	@scripts/clients/bst1.sh
	@scripts/clients/bst19.sh 1.93.4.dev0
	@scripts/clients/bst.sh 2.8.1 2.4.1
	@scripts/clients/bazel.sh
	@scripts/clients/ostree.sh
	$(call node-test,$(client-limit)) test/clients/import.test.ts

test-push: test-programs ## What is pushed through a real sshd: BuildStream 1.0, ostree-push, and releases to the receivers of others
	@scripts/clients/sshd.sh
	@scripts/clients/ostree-push.sh 1.2.0
	$(call node-test,$(client-limit)) test/clients/push.test.ts test/clients/ostree-push.test.ts test/clients/release-push.test.ts

test-ostree: test-programs ## Debian's ostree, on repositories that we write and on its own
	@scripts/clients/ostree.sh
	@scripts/clients/nginx.sh
	$(call node-test,$(client-limit)) test/clients/ostree-archive.test.ts test/clients/ostree-serve.test.ts test/clients/ostree-releases.test.ts

test-release: test-programs ## Releases: the real ostree and gpg, artifacts of BuildStream 2.8.1
	@scripts/clients/ostree.sh
	@scripts/clients/bst.sh 2.8.1
	$(call node-test,$(client-limit)) test/clients/release.test.ts test/clients/release-signatures.test.ts

test-remotes: test-programs ## The choice of remotes and what they speak, beside BuildStream 2.8.1, 1.93.4 and 1.6.8
	@scripts/clients/sshd.sh
	@scripts/clients/ostree.sh
	@scripts/clients/bst1.sh
	@scripts/clients/bst19.sh 1.93.4.dev0
	@scripts/clients/bst.sh 2.8.1 2.4.1
	$(call node-test,$(client-limit)) --test-concurrency=2 test/clients/remotes-configuration.test.ts test/clients/remotes-protocols.test.ts test/clients/remotes-ostree.test.ts test/clients/remote-storage.test.ts

test-build: test-programs ## stillage build, with BuildStream 2.8.1
	@scripts/clients/bst.sh 2.8.1
	$(call node-test,$(client-limit)) test/clients/build.test.ts

test-h2spec: test-programs ## HTTP/2 conformance
	@scripts/clients/h2spec.sh
	$(call node-test,$(client-limit)) test/clients/h2spec.test.ts

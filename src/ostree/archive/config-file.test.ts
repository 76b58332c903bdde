import assert from "node:assert/strict";
import { test } from "node:test";
import { newConfig, parseRepositoryConfig } from "./config-file.ts";

test("reads the config of an archive repository, old and new", () => {
  const usual = { zlibLevel: 5, collectionId: undefined, tombstoneCommits: false, lockTimeoutMs: 30_000 };
  assert.deepEqual(parseRepositoryConfig(newConfig), usual);
  const full = `# a comment
[core]
repo_version = 1
mode=archive
tombstone-commits=true
collection-id=org.example
lock-timeout-secs=5

[remote "origin"]
url=https://example.org/repo
mode=bare
[archive]
zlib-level=9
`;
  const read = { zlibLevel: 9, collectionId: "org.example", tombstoneCommits: true, lockTimeoutMs: 5000 };
  assert.deepEqual(parseRepositoryConfig(full), read);
});

test("refuses other repositories, and what cannot be read", () => {
  const core = "[core]\nrepo_version=1\nmode=archive-z2\n";
  const cases = [
    ["", "unsupported", /repo_version is not there/],
    ["[core]\nrepo_version=2\nmode=archive-z2\n", "unsupported", /repo_version is 2/],
    ["[core]\nrepo_version=1\n", "unsupported", /mode is bare/],
    ["[core]\nrepo_version=1\nmode=bare-user\n", "unsupported", /mode is bare-user/],
    ["repo_version=1\n", "invalid", /line 1/],
    [`${core}nothing\n`, "invalid", /line 4/],
    [`${core}tombstone-commits=yes\n`, "invalid", /tombstone-commits is yes/],
    [`${core}[archive]\nzlib-level=10\n`, "invalid", /zlib-level is 10/],
  ] as const;
  for (const [text, code, message] of cases) assert.throws(() => parseRepositoryConfig(text), { code, message });
});

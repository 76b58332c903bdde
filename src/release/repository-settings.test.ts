import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseRepositorySettings, showKeep } from "./repository-settings.ts";

function read(text: string) {
  const settings = parseRepositorySettings("/srv/os/repository.yaml", text);
  return "title" in settings ? settings : settings.map(({ origin, message }) => `${origin} ${message}`);
}

describe("repository.yaml", () => {
  it("says everything, with paths from its directory", () => {
    const text = `
title: OS
url: https://example.org/releases/os/
builder: https://ci.example.org/
signers:
- gpg: release@example.org
  home: gnupg
- ed25519: keys/secret
checks: [./check]
hooks: [mail]
command-timeout: 30s
keep: younger than 90d
`;
    const settings = read(text);
    assert.ok(!Array.isArray(settings) && "title" in settings);
    assert.equal(settings.url, "https://example.org/releases/os");
    assert.deepEqual(settings.signers, [
      { kind: "gpg", key: "release@example.org", home: "/srv/os/gnupg" },
      { kind: "ed25519", key: "/srv/os/keys/secret" },
    ]);
    assert.deepEqual([settings.commandTimeoutMs, showKeep(settings.keep)], [30_000, "younger than 7776000s"]);
    assert.deepEqual([settings.checks, settings.hooks], [["./check"], ["mail"]]);
  });

  it("need say no more than a title", () => {
    const settings = read("title: OS\n");
    assert.ok(!Array.isArray(settings) && "title" in settings);
    assert.deepEqual([settings.keep, settings.signers, settings.url], [{ kind: "all" }, [], undefined]);
  });

  it("says whose signatures are needed", () => {
    const required = (value: string) => {
      const settings = read(`title: OS\nrequired-signatures: ${value}\n`);
      return Array.isArray(settings) ? settings : settings.requiredSignatures;
    };
    assert.deepEqual([required("2"), required("[jane, robot]")], [{ count: 2 }, { names: ["jane", "robot"] }]);
    for (const wrong of ["17", "-1", "jane", "[jane, jane]", "{a: b}", "1.5"]) {
      assert.ok(Array.isArray(required(wrong)), wrong);
    }
  });

  it("is told what is wrong with it, and where", () => {
    assert.deepEqual(read("{}"), ["/srv/os/repository.yaml:1:1 title is missing"]);
    const bad = [
      "title: x\nkeep: last 0",
      "title: x\nkeep: younger than 0s",
      "title: x\nurl: ftp://a",
      "title: x\nsigners: [{pgp: a}]",
      "title: x\nsigners: [{gpg: a}, {gpg: a}]",
      "title: x\ncheck: [a]",
      'title: "a\\nb"',
    ];
    for (const text of bad) assert.ok(Array.isArray(read(text)), text);
  });
});

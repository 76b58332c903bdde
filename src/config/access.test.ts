import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { type AccessConfig, readAccessFile } from "./access.ts";
import { showProblem } from "./problem.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stillage-access-"));
  path = join(folder, "access.yaml");
});
afterEach(() => rmSync(folder, { recursive: true }));

const anywhere = { repositories: ["*"], branches: ["*"] };

function read(text: string): AccessConfig | string[] {
  writeFileSync(path, text);
  const outcome = readAccessFile(path, "--access");
  return "rules" in outcome ? outcome : outcome.map((each) => showProblem(each).replaceAll(`${folder}/`, ""));
}

test("a file with everything in it", () => {
  const fingerprint = "AB:CD:EF:01:".repeat(8).slice(0, -1);
  assert.deepEqual(
    read(`
tokens: tokens.txt
jwt:
- issuer: https://gitlab.example.com
  audience: cache
  keys: https://gitlab.example.com/oauth/discovery/keys
- { issuer: other, audience: cache, keys: keys.json }
rights:
- who: anyone
  may: pull
- who: { token: ci-* }
  may: [pull, push]
  instances: [main, team/*]
- who: { certificate: { CN: builder, O: Example } }
  may: push
  instances: ""
- who: { fingerprint: "${fingerprint}" }
  may: admin
- who: { jwt: { iss: other, project_path: firmware/* } }
  may: release
- who: { ssh: ci-* }
  may: release
  repositories: os
  branches: [os/stable/*, apps/*]
`),
    {
      tokens: join(folder, "tokens.txt"),
      issuers: [
        {
          issuer: "https://gitlab.example.com",
          audience: "cache",
          keys: "https://gitlab.example.com/oauth/discovery/keys",
        },
        { issuer: "other", audience: "cache", keys: join(folder, "keys.json") },
      ],
      rules: [
        { who: { kind: "anyone" }, may: ["pull"], instances: ["*"], ...anywhere },
        { who: { kind: "token", name: "ci-*" }, may: ["pull", "push"], instances: ["main", "team/*"], ...anywhere },
        {
          who: { kind: "certificate", attributes: { CN: "builder", O: "Example" } },
          may: ["push"],
          instances: [""],
          ...anywhere,
        },
        { who: { kind: "fingerprint", sha256: "abcdef01".repeat(8) }, may: ["admin"], instances: ["*"], ...anywhere },
        {
          who: { kind: "jwt", claims: { iss: "other", project_path: "firmware/*" } },
          may: ["release"],
          instances: ["*"],
          ...anywhere,
        },
        {
          who: { kind: "ssh", name: "ci-*" },
          may: ["release"],
          instances: ["*"],
          repositories: ["os"],
          branches: ["os/stable/*", "apps/*"],
        },
      ],
    },
  );
});

test("everything that is wrong is said, with its place", () => {
  const rule = (who: string, rest = "may: pull"): string => `rights:\n- who: ${who}\n  ${rest}\n`;
  for (const [text, expected] of [
    ["{}", "access.yaml:1:1: rights is missing"],
    ["rights: []", "access.yaml:1:9: rights: has 0 entries; a list of 1 to 1000 goes here"],
    [
      rule("{ ssh: ci }", "may: [pull, push]\n  repositories: os\n  branches: '*'"),
      [
        "access.yaml:4:3: rights.repositories: this says where one may release, and the rule's may does not name release",
        "access.yaml:5:3: rights.branches: this says where one may release, and the rule's may does not name release",
      ].join("\n"),
    ],
    [
      rule("{ ssh: ci }", "may: release\n  branches: 'a b'"),
      'access.yaml:4:13: rights.branches: "a b" is not a name without spaces',
    ],
    [rule("everyone"), 'access.yaml:2:8: rights.who: "everyone" is neither anyone nor a mapping of one of'],
    [rule("{ token: a, fingerprint: b }"), "is neither anyone nor a mapping of one of"],
    [rule("{ tokn: a }"), "access.yaml:2:10: rights.who.tokn: there is no such key; did you mean token?"],
    [rule("{ token: [a] }"), 'rights.who.token: ["a"] is not a text'],
    [rule("{ fingerprint: abc }"), "is not the SHA-256 fingerprint of a certificate"],
    [rule("{ certificate: builder }"), "is not a mapping of names to what they must be"],
    [rule("{ certificate: {} }"), "is not a mapping of names to what they must be"],
    [rule("anyone", "may: pul"), 'access.yaml:3:8: rights.may: "pul" is not one of pull, push, release, admin'],
    [rule("anyone", "may: [pull, pull]"), '"pull" is there twice'],
    [rule("anyone", "may: pull\n  instance: a"), "there is no such key; did you mean instances?"],
    [rule("{ jwt: { sub: a } }"), "access.yaml:2:15: rights.who.jwt: no issuer is named under jwt"],
    [
      `jwt:\n- { issuer: a, audience: b, keys: c }\n- { issuer: d, audience: b, keys: c }\n${rule("{ jwt: { sub: a } }")}`,
      "iss is missing: there are several issuers",
    ],
    [`jwt:\n- { issuer: a, audience: b, keys: "http://example.com/k" }\n${rule("anyone")}`, "https, or http on this"],
    [`jwt:\n- { issuer: a, keys: c }\n${rule("anyone")}`, "jwt: audience is missing"],
  ] as const) {
    const problems = read(text);
    assert.ok(Array.isArray(problems), text);
    assert.ok(problems.join("\n").includes(expected), `${problems.join("\n")}\nis not\n${expected}`);
  }
});

test("a file that is not there", () => {
  assert.deepEqual(readAccessFile(path, "--access"), [
    { origin: "--access", message: `${path} cannot be read: there is no such file` },
  ]);
});

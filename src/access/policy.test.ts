import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClientCertificate } from "../base/peer.ts";
import { hasRight, rightNames } from "../base/rights.ts";
import type { Rule, Who } from "../config/access.ts";
import { type Credentials, Policy } from "./policy.ts";

const rule = (who: Who, may: Rule["may"], instances: readonly string[] = ["*"]): Rule => ({
  who,
  may,
  instances,
  repositories: ["*"],
  branches: ["*"],
});

function rightsIn(policy: Policy, credentials: Credentials, instance: string): string {
  const set = policy.grant(credentials)(instance);
  return rightNames.filter((name) => hasRight(set, name)).join(" ");
}

const certificate: ClientCertificate = {
  subject: new Map([
    ["CN", ["builder-7"]],
    ["OU", ["firmware", "release"]],
  ]),
  fingerprint: "ab".repeat(32),
};

test("rights of all rules that fit are added up, in the instances that they name", () => {
  const policy = new Policy([
    rule({ kind: "anyone" }, ["pull"], ["public", "team/*"]),
    rule({ kind: "token", name: "ci-*" }, ["push"], ["team/*"]),
    rule({ kind: "token", name: "ci-main" }, ["release"], ["team/os"]),
    rule({ kind: "token", name: "root" }, ["admin"]),
  ]);
  assert.equal(rightsIn(policy, {}, "public"), "pull");
  assert.equal(rightsIn(policy, {}, ""), "");
  assert.equal(rightsIn(policy, { token: "ci-x" }, "team/os"), "pull push");
  assert.equal(rightsIn(policy, { token: "ci-x" }, "public"), "pull");
  assert.equal(rightsIn(policy, { token: "ci-main" }, "team/os"), "pull push release");
  assert.equal(rightsIn(policy, { token: "other" }, "team/os"), "pull");
  assert.equal(rightsIn(policy, { token: "root" }, "any"), "pull push release admin");
});

test("a certificate fits by all attributes that are named, each by one of its values, or by its fingerprint", () => {
  for (const [who, fits] of [
    [{ kind: "certificate", attributes: { CN: "builder-*" } }, true],
    [{ kind: "certificate", attributes: { CN: "builder-*", OU: "release" } }, true],
    [{ kind: "certificate", attributes: { CN: "builder-*", OU: "docs" } }, false],
    [{ kind: "certificate", attributes: { O: "*" } }, false],
    [{ kind: "fingerprint", sha256: "ab".repeat(32) }, true],
    [{ kind: "fingerprint", sha256: "cd".repeat(32) }, false],
  ] as const) {
    const policy = new Policy([rule(who, ["pull"])]);
    assert.equal(rightsIn(policy, { certificate }, ""), fits ? "pull" : "", JSON.stringify(who));
    assert.equal(rightsIn(policy, {}, ""), "");
  }
});

test("claims fit as texts, numbers, truth values and lists of them; nothing else does", () => {
  const claims = { sub: "a", level: 7, protected: true, groups: ["x", "y"], nested: { sub: "a" }, none: null };
  for (const [wanted, fits] of [
    [{ sub: "a" }, true],
    [{ sub: "a", level: "7", protected: "true", groups: "y" }, true],
    [{ groups: "z" }, false],
    [{ nested: "*" }, false],
    [{ none: "*" }, false],
    [{ toString: "*" }, false],
    [{ absent: "*" }, false],
  ] as const) {
    const policy = new Policy([rule({ kind: "jwt", claims: wanted as unknown as Record<string, string> }, ["pull"])]);
    assert.equal(rightsIn(policy, { claims }, ""), fits ? "pull" : "", JSON.stringify(wanted));
  }
});

test("who may release may do so in the repositories and branches of one rule", () => {
  const ssh = (name: string): Who => ({ kind: "ssh", name });
  const policy = new Policy([
    { ...rule(ssh("ci-*"), ["release"]), repositories: ["os", "apps-*"], branches: ["os/stable/*"] },
    { ...rule(ssh("ci-main"), ["release"]), repositories: ["sdk"] },
    { ...rule(ssh("pusher"), ["push"]) },
    { ...rule(ssh("operator"), ["admin"]) },
  ]);
  for (const [name, repository, branch, may] of [
    ["ci-1", "os", "os/stable/x86_64", true],
    ["ci-1", "apps-x", "os/stable/x86_64", true],
    ["ci-1", "os", "os/devel/x86_64", false],
    ["ci-1", "os", undefined, true],
    ["ci-1", "sdk", undefined, false],
    ["ci-1", "sdk", "os/stable/x86_64", false],
    ["ci-main", "sdk", "any", true],
    ["ci-main", "os", "any", false],
    ["pusher", "os", undefined, false],
    ["operator", "os", "any", true],
    ["stranger", "os", undefined, false],
  ] as const) {
    assert.equal(policy.mayRelease({ ssh: name }, repository, branch), may, `${name} ${repository} ${branch}`);
  }
  assert.equal(policy.mayRelease({ token: "ci-1" }, "os", undefined), false);
});

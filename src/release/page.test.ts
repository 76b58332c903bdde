import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { html } from "./html.ts";
import { releasesPage } from "./page.ts";
import { encodeReleaseList, type ListedRelease, type ReleaseList } from "./release-list.ts";

const commit = "ab".repeat(32);
const release: ListedRelease = {
  branch: "os/x86_64/stable",
  version: "24.08",
  commit,
  content: "cd".repeat(32),
  date: "2026-11-21T10:00:00Z",
  subject: "os 24.08",
  current: true,
  endOfLife: null,
  rebase: null,
  signers: [{ kind: "ed25519", name: "robot", id: "12".repeat(32) }],
  manifest: {
    name: "manifest.json",
    path: `releases/${commit}/manifest.json`,
    sha256: "ef".repeat(32),
    size: 7,
    mediaType: "application/json",
  },
  provenance: null,
  files: [],
};
const list: ReleaseList = {
  listVersion: 1,
  name: "os",
  title: "The OS",
  description: null,
  url: "https://example.org/os",
  keys: [],
  releases: [release],
};
const gpg = { kind: "gpg", name: "jane", id: "34".repeat(20), files: ["keys/jane.gpg"], inline: null } as const;
const ed25519 = { kind: "ed25519", name: "robot", id: "1", files: ["keys/robot.ed25519"], inline: "AAAA" } as const;

/** All that a browser would follow or load. */
const links = (page: string): string[] => [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, to]) => to ?? "");

describe("the releases page", () => {
  test("leads nobody to a branch that has ended, as long as there is another", () => {
    const ended = { ...release, branch: "os/x86_64/old", endOfLife: "Use stable", rebase: release.branch };
    const both = releasesPage({ ...list, releases: [ended, release] });
    assert.match(both, /ostree pull --repo=repo os os\/x86_64\/stable/);
    assert.equal(both.match(/>current</g)?.length, 1);
    assert.match(releasesPage({ ...list, releases: [ended] }), /ostree pull --repo=repo os os\/x86_64\/old/);
  });

  test("says what was released, and leads to files beside it alone", () => {
    const page = releasesPage({ ...list, keys: [gpg, ed25519] });
    for (const text of ["The OS", "os/x86_64/stable", "24.08", commit, "cd".repeat(32), "robot", "2026-11-21"]) {
      assert.ok(page.includes(text), text);
    }
    assert.deepEqual(links(page), [
      "#verify",
      "#keys",
      "releases.json",
      `releases/${commit}/manifest.json`,
      "keys/jane.gpg",
      "keys/robot.ed25519",
    ]);
    assert.doesNotMatch(page, /<script|\p{Cf}|[^\P{Cc}\n]/u);
  });

  test("is the same for the same list", () => {
    assert.equal(releasesPage(list), releasesPage(structuredClone(list)));
    assert.deepEqual(encodeReleaseList(list), encodeReleaseList(structuredClone(list)));
  });

  test("nothing that somebody wrote becomes markup", () => {
    const evil = `<script>alert(1)</script>"'&\u202e\u0007`;
    const files = [{ name: evil, path: `releases/${evil}`, sha256: evil, size: 1, mediaType: evil }];
    const bad: ListedRelease = {
      ...release,
      branch: evil,
      version: evil,
      subject: evil,
      endOfLife: evil,
      rebase: evil,
      signers: [{ kind: "gpg", name: evil, id: evil }],
      files,
    };
    const keys = [{ ...gpg, name: evil, id: evil, files: [`keys/${evil}`] }];
    const page = releasesPage({
      ...list,
      name: evil,
      title: evil,
      description: evil,
      url: evil,
      keys,
      releases: [bad],
    });
    assert.doesNotMatch(page, /<script|\p{Cf}|[^\P{Cc}\n]/u);
    for (const link of links(page)) assert.doesNotMatch(link, /[<>"' ]/);
  });

  test("shows how to pull by the keys that there are", () => {
    const page = (keys: ReleaseList["keys"], url: string | null = list.url): string =>
      releasesPage({ ...list, keys, url })
        .replaceAll("&quot;", '"')
        .replaceAll("&gt;", ">");
    assert.match(page([gpg]), /URL=https:\/\/example.org\/os\ncurl -fsS "\$URL"\/keys\/jane.gpg > signers.gpg/);
    assert.match(page([gpg]), /--gpg-import=signers.gpg --set=gpg-verify-summary=true os "\$URL"\/repo/);
    assert.match(page([ed25519]), /--sign-verify=ed25519=inline:AAAA --set=sign-verify-summary=true os/);
    assert.match(page([], null), /URL=https:\/\/ADDRESS\/OF\/THIS\/PAGE\n/);
  });

  test("shows how to pull what goes on, by the keys that sign it", () => {
    const commands = (releases: readonly ListedRelease[], keys: ReleaseList["keys"]): string =>
      releasesPage({ ...list, keys, releases })
        .replaceAll("&quot;", '"')
        .replaceAll("&gt;", ">");
    const ended = { ...release, branch: "os/1", endOfLife: "Use os/2", rebase: "os/2" };
    const page = commands([ended, release], [gpg, ed25519]);
    assert.match(page, /ostree pull --repo=repo os os\/x86_64\/stable\n/);
    assert.doesNotMatch(commands([ended], []), />current</);
    // A key of GPG that is published, and has not signed this.
    assert.match(page, /--sign-verify=ed25519=inline:AAAA/);
    const older = { ...ed25519, name: "old", id: "2", files: ["keys/old.ed25519"], inline: "BBBB" };
    const two = commands([release], [older, ed25519]);
    assert.match(two, /curl -fsS "\$URL"\/keys\/old.ed25519 "\$URL"\/keys\/robot.ed25519 > signers.ed25519/);
    assert.match(two, /--sign-verify=ed25519=file:"\$PWD"\/signers.ed25519 --set=sign-verify-summary=true/);
  });

  test("says so where nothing is released", () => {
    assert.match(releasesPage({ ...list, releases: [] }), /Nothing has been released yet/);
  });
});

test("a template escapes what is put into it, and HTML not twice", () => {
  const inner = html`<b>${"a<b"}</b>`;
  assert.equal(html`${inner}${[inner, 1]}${undefined}`.text, "<b>a&lt;b</b><b>a&lt;b</b>1");
});

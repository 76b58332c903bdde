import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isProblems } from "../../config/load.ts";
import { configuredFolder } from "../configuration/configuration.fixture.ts";
import { readClientConfiguration } from "../configuration/read-configuration.ts";
import type { Junction } from "./bst-projects.ts";
import { remotesOfProjects } from "./project-remotes.ts";

const conf = (name: string, url: string, more = ""): string =>
  `name: ${name}\nmin-version: 2.0\nartifacts:\n- url: ${url}\n${more}`;

const conditional = `options:
  site: {type: enum, description: where, values: [here, there], default: there}
(?):
- site == 'here':
    artifacts:
      (>):
      - url: http://only-here
`;

const junction = (name: string, project: string, more: Partial<Junction> = {}): Junction => ({
  ...{ name, project, path: "", options: [] },
  ...more,
});

test("caches of sources are those that BuildStream has for projects", (t) => {
  const project = (name: string, ...urls: string[]): string =>
    `name: ${name}\nmin-version: 2.0\nsource-caches: [${urls.map((url) => `{url: '${url}'}`).join()}]\n`;
  const { path, read } = configuredFolder(t, {
    "home/.config/buildstream.conf":
      "source-caches: {servers: [{url: 'http://mine'}, {url: 'http://lib'}]}\nprojects:\n  vendor: {source-caches: {override-project-caches: true}}\n  kit: {source-caches: {servers: [{url: 'http://kit-mirror'}]}}\n",
    "project/project.conf": project("top", "http://top"),
    "project/lib.bst": "kind: junction\nsources:\n- kind: local\n  path: lib\n",
    "project/lib/project.conf": project("lib", "http://lib", "http://deep"),
    "project/vendor.bst": "kind: junction\nsources:\n- kind: local\n  path: vendor\n",
    "project/vendor/project.conf": project("vendor", "http://vendor"),
    "project/lib/kit.bst": "kind: junction\nsources:\n- kind: local\n  path: kit\n",
    "project/lib/kit/project.conf": project("kit", "http://kit"),
  });
  const configuration = read({ remotes: ["http://elsewhere"] });
  assert.ok("remotes" in configuration);
  const junctions = [junction("lib.bst", "lib"), junction("lib.bst:kit.bst", "kit"), junction("vendor.bst", "vendor")];
  const servers = remotesOfProjects(configuration, junctions, (text) => assert.fail(text.replaceAll(path, "")));
  const found = [...servers.values()].map((each) => [each.project, each.sourceCaches.map(({ url }) => url.slice(7))]);
  assert.deepEqual(found, [
    ["top", ["mine", "lib", "top"]],
    ["lib", ["mine", "lib", "top", "deep"]],
    ["kit", ["kit-mirror", "top", "lib", "deep", "kit"]],
    ["vendor", ["mine", "lib"]],
  ]);
});

test("subprojects have the remotes that BuildStream has for them", (t) => {
  const key = (digit: string): string => digit.repeat(64);
  const { path } = configuredFolder(t, {
    "home/.config/buildstream.conf":
      "artifacts: {servers: [{url: 'http://mine'}]}\nprojects: {vendor: {artifacts: {override-project-caches: true, servers: [{url: 'http://vendor-mirror'}]}}}\n",
    "project/project.conf": conf("top", "http://top", "element-path: elements\n"),
    "project/elements/lib.bst": "kind: junction\nsources:\n- kind: local\n  path: subprojects/lib\n",
    "project/subprojects/lib/project.conf": conf("lib", "http://lib", conditional),
    "project/elements/sdk/tar.bst": "kind: junction\nsources:\n- kind: tar\n  url: https://example.org/sdk.tar\n",
    [`project/.bst/staged-junctions/sdk/tar.bst/${key("a")}/deep/project.conf`]: conf("sdk", "http://sdk"),
    "project/elements/vendor.bst": "kind: junction\nsources:\n- kind: git\n",
    "project/subprojects/lib/far.bst": "kind: junction\nsources:\n- kind: git\n",
    [`project/subprojects/lib/.bst/staged-junctions/far.bst/${key("b")}/project.conf`]: conf("far", "http://far"),
  });
  const sources = {
    ...{ directory: join(path, "project"), workingDirectory: path, environment: { HOME: join(path, "home") } },
    ...{ dialect: undefined, buildstreamConfig: undefined, clientConfig: undefined, remotes: [] },
    ...{ ignoreProjectRemotes: false, purpose: "all" as const, cache: undefined, options: [] },
  };
  const configuration = readClientConfiguration(sources);
  assert.ok(!isProblems(configuration));
  const notes: string[] = [];
  const found = (...junctions: Junction[]): object => {
    notes.splice(0);
    const read = remotesOfProjects(configuration, junctions, (text) => notes.push(text.replaceAll(path, "")));
    return Object.fromEntries([...read].map(([name, { remotes }]) => [name, remotes.map(({ url }) => url)]));
  };
  const lib = ["http://mine", "http://top", "http://lib", "http://only-here"];
  assert.deepEqual(
    found(
      junction("lib.bst", "lib", { options: [["site", "here"]] }),
      junction("lib.bst:far.bst", "far"),
      junction("sdk/tar.bst", "sdk", { path: "deep" }),
    ),
    {
      "": ["http://mine", "http://top"],
      "lib.bst": lib,
      "lib.bst:far.bst": [...lib, "http://far"],
      "sdk/tar.bst": ["http://mine", "http://top", "http://sdk"],
    },
  );
  assert.deepEqual(notes, []);
  assert.deepEqual(found(junction("vendor.bst", "vendor")), {
    "": ["http://mine", "http://top"],
    "vendor.bst": ["http://vendor-mirror"],
  });
  assert.match(notes.join(), /^vendor, which vendor\.bst leads to: .* its files are not found$/);
  const bad = join(path, `project/.bst/staged-junctions/sdk/tar.bst/${key("a")}/project.conf`);
  writeFileSync(bad, conf("sdk", "http://sdk", "artefacts: []\n"));
  assert.deepEqual(found(junction("sdk/tar.bst", "sdk")), {
    "": ["http://mine", "http://top"],
    "sdk/tar.bst": ["http://mine", "http://top"],
  });
  assert.match(notes.join(), /^sdk, which sdk\/tar\.bst leads to: .*artefacts: there is no such key here/);
});

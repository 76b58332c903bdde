import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { remoteAt } from "../remote-spec.fixture.ts";
import { withoutServers, withSourceCaches } from "./bst-configuration.ts";

describe("withoutServers", () => {
  const none = { "override-project-caches": "true", servers: [] };

  it("leaves all but the servers as it is", () => {
    const user = {
      cachedir: "/c",
      artifacts: { servers: [{ url: "https://a" }] },
      "source-caches": { servers: [{ url: "https://s" }] },
      projects: { harbour: { artifacts: { servers: [] }, strict: "false", "source-caches": {} } },
    };
    assert.deepEqual(withoutServers(user, ["artifacts"]), {
      ...user,
      artifacts: none,
      projects: { harbour: { strict: "false", "source-caches": {} } },
    });
    assert.deepEqual(withoutServers(user, ["artifacts", "source-caches"]), {
      ...{ cachedir: "/c", artifacts: none, "source-caches": none },
      projects: { harbour: { strict: "false" } },
    });
  });

  it("overrides what projects recommend, also where the user says nothing", () => {
    assert.deepEqual(withoutServers({}, ["artifacts"]), { artifacts: none });
  });
});

describe("withSourceCaches", () => {
  it("gives each project its servers in their order, and nobody any other", () => {
    const user = {
      artifacts: { servers: [] },
      "source-caches": { servers: [{ url: "https://dead" }, { url: "https://mine" }] },
      projects: {
        harbour: { strict: "false", "source-caches": { servers: [{ url: "https://dead" }] } },
        elsewhere: { "source-caches": { servers: [{ url: "https://dead" }] }, options: { fast: "true" } },
      },
    };
    const mine = remoteAt("https://mine", { push: true, instanceName: "main" });
    const servers = new Map([
      ["harbour", []],
      ["quay", [mine, remoteAt("https://quay", { type: "index" })]],
    ]);
    const only = (entries: object[]): object => ({
      "source-caches": { "override-project-caches": "true", servers: entries },
    });
    assert.deepEqual(withSourceCaches(user, servers), {
      ...{ artifacts: { servers: [] }, ...only([]) },
      projects: {
        harbour: { strict: "false", ...only([]) },
        elsewhere: { options: { fast: "true" } },
        quay: only([
          { url: "https://mine", type: "all", push: "true", "instance-name": "main" },
          { url: "https://quay", type: "index", push: "false" },
        ]),
      },
    });
  });
});

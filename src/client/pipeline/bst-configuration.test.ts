import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withoutServers } from "./bst-configuration.ts";

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

import assert from "node:assert/strict";
import { test } from "node:test";
import { shownUrl } from "./shown-url.ts";

test("what is shown of a URL has no secret in it", () => {
  const shown = {
    "https://any:token@cache.example.org:8443/ostree": "https://cache.example.org:8443/ostree",
    "HTTP://token@host": "HTTP://host",
    "grpcs://a:b@c:d@host/": "grpcs://host/",
    "ssh://artifacts@host:22/srv": "ssh://artifacts@host:22/srv",
    "ssh://artifacts:secret@host/srv": "ssh://artifacts@host/srv",
    "https://host/a@b": "https://host/a@b",
    "unix:/run/a@b": "unix:/run/a@b",
    "/srv/a@b": "/srv/a@b",
  };
  for (const [url, expected] of Object.entries(shown)) assert.equal(shownUrl(url), expected);
});

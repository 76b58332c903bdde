import assert from "node:assert/strict";
import { test } from "node:test";
import { repositoryNamed } from "./repository-named.ts";

test("a repository by its name, or by a path that others would take", () => {
  for (const given of [
    "os",
    "/os",
    "os/",
    "os/repo",
    "os/public/repo",
    "/os/repo/",
    "/srv/releases/os",
    "/srv/releases/os/public/repo",
    "/srv/releases/os/repo",
  ]) {
    assert.equal(repositoryNamed(given, "/srv/releases"), "os", given);
  }
  assert.equal(repositoryNamed("repo", "/srv/releases"), "repo");
  assert.equal(repositoryNamed("public", "/srv/releases"), "public");
});

test("paths that lead elsewhere", () => {
  for (const given of [
    "",
    "/",
    ".",
    "..",
    "../os",
    "os/..",
    "os/../x",
    "/srv/os",
    "/srv/releases",
    "a/b",
    "-n",
    "os\n",
    "os/public",
    "~/os",
  ]) {
    assert.throws(() => repositoryNamed(given, "/srv/releases"), { code: "not-found" }, given);
  }
});

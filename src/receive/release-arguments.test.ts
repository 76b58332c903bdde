import assert from "node:assert/strict";
import { test } from "node:test";
import { releaseAsked } from "./release-arguments.ts";

test("what a command changes, reads and is told", () => {
  for (const [args, expected] of [
    [
      [
        "create",
        "base.bst",
        "--branch",
        "os/a",
        "--branch=os/b",
        "--version=1",
        "--repository",
        "os",
        "--force",
        "--json",
      ],
      {
        ...{ command: "create", repository: "os", branches: ["os/a", "os/b"], instance: undefined, readsStore: true },
        args: ["--branch=os/a", "--branch=os/b", "--version=1", "--force", "--json", "--", "base.bst"],
      },
    ],
    [
      ["create", "--instance=main", "--branch=a", "--", "--tree=/etc"],
      {
        ...{ command: "create", repository: undefined, branches: ["a"], instance: "main", readsStore: true },
        args: ["--instance=main", "--branch=a", "--", "--tree=/etc"],
      },
    ],
    [
      ["rollback", "os/a", "--to=1.0"],
      {
        ...{ command: "rollback", repository: undefined, branches: ["os/a"], instance: undefined, readsStore: false },
        args: ["--to=1.0", "--", "os/a"],
      },
    ],
    [
      ["list", "--branch=os/a"],
      {
        ...{ command: "list", repository: undefined, branches: [], instance: undefined, readsStore: false },
        args: ["--branch=os/a", "--"],
      },
    ],
  ] as const) {
    assert.deepEqual(releaseAsked(args), expected, args.join(" "));
  }
});

test("what would read or write the server's files, or is no such command, is refused", () => {
  for (const args of [
    [],
    ["init", "os"],
    ["prune"],
    ["sign", "--export", "x"],
    ["toString"],
    ["create"],
    ["create", "a", "b"],
    ["create", "a", "--tree=/etc"],
    ["create", "a", "--show", "/etc/passwd"],
    ["create", "a", "--attach=/etc/passwd"],
    ["create", "a", "--releases=/srv"],
    ["create", "a", "--store", "/srv"],
    ["create", "a", "--config=/x"],
    ["create", "a", "--branch"],
    ["list", "a"],
    ["rollback"],
  ]) {
    assert.throws(() => releaseAsked(args), { code: "invalid" }, args.join(" "));
  }
});

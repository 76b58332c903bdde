import { TreeSchema } from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Case, Server } from "../case.ts";
import { emptyBlob, messageBlob, newBlob, type TestBlob, upload } from "../support/blobs.ts";
import { directoryOf, newNestedDirectory } from "../support/directories.ts";
import { expectOk, expectStatus } from "../support/expect.ts";
import { getResult, newAction, type Result, updateResult, withFile } from "../support/results.ts";

const source = "remote_execution.proto, ActionCache";

/** Stores `result` and reads it while each of `needed` is absent in turn, then when all are there. */
async function completeOnlyWith(
  server: Server,
  result: Result,
  needed: Readonly<Record<string, TestBlob>>,
): Promise<void> {
  const action = newAction();
  await expectOk(updateResult(server, action, result), "UpdateActionResult");
  for (const [name, blob] of Object.entries(needed)) {
    await expectStatus(getResult(server, action), "notFound", `GetActionResult without ${name}`);
    await upload(server, server.instance, [blob]);
  }
  await expectOk(getResult(server, action), "GetActionResult with everything");
}

export const actionCacheCompleteCases: readonly Case[] = [
  {
    id: "action-cache/complete-files",
    title: "a result is served only while its files are there, and again when they are back",
    source: `${source}: outputs should exist`,
    async run(server) {
      const [one, two] = [newBlob(), newBlob()];
      const outputFiles = [one, two].map(({ digest }, i) => ({ path: `out-${i}`, digest }));
      await completeOnlyWith(server, { outputFiles }, { "the first file": one, "the second file": two });
    },
  },
  {
    id: "action-cache/complete-stdout",
    title: "a result is served only while stdout and stderr are there",
    source: `${source}: stdout_digest and stderr_digest should exist`,
    async run(server) {
      const [out, err] = [newBlob(), newBlob()];
      const result = { stdoutDigest: out.digest, stderrDigest: err.digest };
      await completeOnlyWith(server, result, { stdout: out, stderr: err });
    },
  },
  {
    id: "action-cache/complete-tree",
    title: "a result is served only while its trees and the files in them are there",
    source: `${source}: OutputDirectory.tree_digest`,
    async run(server) {
      const { tree, file, deepFile } = newNestedDirectory();
      const result = { outputDirectories: [{ path: "dir", treeDigest: tree.digest }] };
      await completeOnlyWith(server, result, { "the tree": tree, "a file": file, "a file below": deepFile });
    },
  },
  {
    id: "action-cache/complete-names",
    title: "a result is not served where a name in its trees leads elsewhere",
    source: "remote_execution.proto, Directory: every child has a path of exactly one segment",
    async run(server) {
      const root = { symlinks: [{ name: "../x", target: "y" }] };
      const [tree, directory] = [messageBlob(TreeSchema, { root }), directoryOf({ symlinks: { "../x": "y" } })];
      await upload(server, server.instance, [tree, directory]);
      for (const digests of [{ treeDigest: tree.digest }, { rootDirectoryDigest: directory.digest }]) {
        const action = newAction();
        await expectOk(updateResult(server, action, { outputDirectories: [{ path: "dir", ...digests }] }), "Update");
        await expectStatus(getResult(server, action), "notFound", "GetActionResult");
      }
    },
  },
  {
    id: "action-cache/complete-root-directory",
    title: "a directory named by root_directory_digest alone is walked",
    source: "BuildStream: results have output directories without a tree digest",
    async run(server) {
      const { root, child, file, deepFile } = newNestedDirectory();
      const result = { outputDirectories: [{ path: "dir", rootDirectoryDigest: root.digest }] };
      const needed = { "the root": root, "the directory below": child, "a file": file, "a file below": deepFile };
      await completeOnlyWith(server, result, needed);
    },
  },
  {
    id: "action-cache/complete-both",
    title: "a directory named in both ways needs both",
    source: "remote_execution.proto, Command.OutputDirectoryFormat TREE_AND_DIRECTORY",
    async run(server) {
      const { tree, root, blobs } = newNestedDirectory();
      await upload(server, server.instance, blobs.slice(2));
      const directory = { path: "dir", treeDigest: tree.digest, rootDirectoryDigest: root.digest };
      await upload(server, server.instance, [blobs[1] as TestBlob]);
      await completeOnlyWith(server, { outputDirectories: [directory] }, { "the tree": tree, "the root": root });
    },
  },
  {
    id: "action-cache/empty-outputs",
    title: "empty files and empty directories are always there",
    source: "remote_execution.proto: the empty blob always exists; Bazel refers to it without an upload",
    async run(server) {
      const tree = messageBlob(TreeSchema, { root: {} });
      await upload(server, server.instance, [tree]);
      const action = newAction();
      const result = {
        ...withFile(emptyBlob),
        stdoutDigest: emptyBlob.digest,
        outputDirectories: [
          { path: "a", treeDigest: tree.digest },
          { path: "b", rootDirectoryDigest: emptyBlob.digest },
        ],
      };
      await expectOk(updateResult(server, action, result), "UpdateActionResult");
      await expectOk(getResult(server, action), "GetActionResult");
    },
  },
  {
    id: "action-cache/not-a-tree",
    title: "a tree digest of something else is a miss, not an error",
    source: `${source}: NOT_FOUND for what is not complete`,
    async run(server) {
      const rubbish = newBlob();
      await upload(server, server.instance, [rubbish]);
      const action = newAction();
      const result = { outputDirectories: [{ path: "dir", treeDigest: rubbish.digest }] };
      await expectOk(updateResult(server, action, result), "UpdateActionResult");
      await expectStatus(getResult(server, action), "notFound", "GetActionResult");
    },
  },
  {
    id: "action-cache/wide",
    title: "a result of 5,000 files in one directory",
    source: "Bazel: tree artifacts",
    async run(server) {
      const files = Array.from({ length: 5000 }, () => newBlob(10));
      const root = directoryOf({ files });
      await upload(server, server.instance, [...files, root]);
      const action = newAction();
      const result = { outputDirectories: [{ path: "dir", rootDirectoryDigest: root.digest }] };
      await expectOk(updateResult(server, action, result), "UpdateActionResult");
      await expectOk(getResult(server, action), "GetActionResult");
    },
  },
];

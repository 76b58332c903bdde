import { create, toBinary } from "@bufbuild/protobuf";
import {
  type ActionResult,
  ActionResultSchema,
} from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Case } from "../case.ts";
import { emptyBlob, newBlob, upload } from "../support/blobs.ts";
import { expectBytes, expectEqual, expectOk, expectStatus } from "../support/expect.ts";
import { getResult, newAction, type Result, updateResult, withFile } from "../support/results.ts";

const source = "remote_execution.proto, ActionCache";

const encode = (result: Result | ActionResult): Uint8Array =>
  toBinary(ActionResultSchema, create(ActionResultSchema, result));

export const actionCacheCases: readonly Case[] = [
  {
    id: "action-cache/absent",
    title: "an unknown action is NOT_FOUND",
    source,
    async run(server) {
      await expectStatus(getResult(server, newAction()), "notFound", "GetActionResult");
    },
  },
  {
    id: "action-cache/round-trip",
    title: "a result comes back as it was stored",
    source: `${source}: UpdateActionResult returns what it stored`,
    async run(server) {
      const [file, log] = [newBlob(), newBlob()];
      await upload(server, server.instance, [file, log]);
      const action = newAction();
      const result: Result = {
        ...withFile(file),
        outputSymlinks: [{ path: "link", target: "out" }],
        outputFileSymlinks: [{ path: "old-link", target: "out" }],
        outputDirectorySymlinks: [{ path: "directory-link", target: "." }],
        exitCode: 3,
        stdoutDigest: log.digest,
        stderrRaw: Buffer.from("oh no"),
        executionMetadata: { worker: "w", queuedTimestamp: { seconds: 5n, nanos: 7 } },
      };
      const answer = await expectOk(updateResult(server, action, result), "UpdateActionResult");
      expectBytes(encode(answer), encode(result), "UpdateActionResult");
      expectBytes(
        encode(await expectOk(getResult(server, action), "GetActionResult")),
        encode(result),
        "GetActionResult",
      );
    },
  },
  {
    id: "action-cache/all-default",
    title: "a result with nothing but defaults is a result",
    source: `${source}; remote-apis#131: it encodes to no bytes`,
    async run(server) {
      const action = newAction();
      await expectOk(updateResult(server, action, {}), "UpdateActionResult");
      expectEqual((await expectOk(getResult(server, action), "GetActionResult")).exitCode, 0, "exit_code");
    },
  },
  {
    id: "action-cache/overwrite",
    title: "a later result replaces the one before",
    source,
    async run(server) {
      const action = newAction();
      for (const exitCode of [1, 2]) {
        await expectOk(updateResult(server, action, { exitCode }), "UpdateActionResult");
        expectEqual((await expectOk(getResult(server, action), "GetActionResult")).exitCode, exitCode, "exit_code");
      }
    },
  },
  {
    id: "action-cache/not-inlined",
    title: "nothing is inlined unasked",
    source: "remote_execution.proto, GetActionResultRequest.inline_stdout",
    async run(server) {
      const [file, log] = [newBlob(), newBlob()];
      await upload(server, server.instance, [file, log]);
      const action = newAction();
      await expectOk(
        updateResult(server, action, { ...withFile(file), stdoutDigest: log.digest }),
        "UpdateActionResult",
      );
      const result = await expectOk(getResult(server, action), "GetActionResult");
      expectEqual(result.stdoutRaw.length, 0, "bytes of stdout_raw");
      expectEqual(result.outputFiles[0]?.contents.length, 0, "bytes of contents");
    },
  },
  {
    id: "action-cache/inlined",
    title: "stdout, stderr and the files asked for are inlined",
    source: "remote_execution.proto, GetActionResultRequest.inline_*; casd asks for stdout and stderr",
    async run(server) {
      const [file, other, out, err] = [newBlob(), newBlob(), newBlob(), newBlob()];
      await upload(server, server.instance, [file, other, out, err]);
      const action = newAction();
      const outputFiles = [
        { path: "file", digest: file.digest },
        { path: "other", digest: other.digest },
      ];
      await expectOk(
        updateResult(server, action, { outputFiles, stdoutDigest: out.digest, stderrDigest: err.digest }),
        "UpdateActionResult",
      );
      const ask = { inlineStdout: true, inlineStderr: true, inlineOutputFiles: ["file", "nothing"] };
      const result = await expectOk(getResult(server, action, ask), "GetActionResult");
      expectBytes(result.stdoutRaw, out.data, "stdout_raw");
      expectBytes(result.stderrRaw, err.data, "stderr_raw");
      expectBytes(result.outputFiles[0]?.contents ?? new Uint8Array(), file.data, "contents of the file asked for");
      expectEqual(result.outputFiles[1]?.contents.length, 0, "bytes of contents of the other file");
      expectEqual(result.stdoutDigest?.hash === out.digest.hash, true, "stdout_digest stays");
    },
  },
  {
    id: "action-cache/inlined-within-a-message",
    title: "inlining stops before the answer is too large for a message",
    source: "remote_execution.proto: the server may omit inlining; gRPC clients take 4 MiB",
    async run(server) {
      const files = Array.from({ length: 8 }, () => newBlob(900_000));
      await upload(server, server.instance, files);
      const action = newAction();
      const outputFiles = files.map(({ digest }, i) => ({ path: `out-${i}`, digest }));
      const stdoutDigest = files[0]?.digest ?? emptyBlob.digest;
      await expectOk(updateResult(server, action, { outputFiles, stdoutDigest }), "UpdateActionResult");
      const ask = { inlineStdout: true, inlineOutputFiles: outputFiles.map(({ path }) => path) };
      const result = await expectOk(getResult(server, action, ask), "GetActionResult");
      for (const [i, { contents }] of result.outputFiles.entries()) {
        if (contents.length > 0) expectBytes(contents, files[i]?.data ?? new Uint8Array(), "contents");
      }
      expectEqual(result.outputFiles.length, 8, "output files");
    },
  },
  {
    id: "action-cache/no-action",
    title: "a request without an action, or with a malformed one, is refused",
    source: `${source}: INVALID_ARGUMENT`,
    async run(server) {
      const { instance: instanceName, actionCache } = server;
      await expectStatus(
        actionCache.getActionResult({ instanceName }),
        "invalidArgument",
        "GetActionResult of nothing",
      );
      for (const actionDigest of [
        { hash: "no hash", sizeBytes: 1n },
        { ...newAction(), sizeBytes: -1n },
      ]) {
        await expectStatus(getResult(server, actionDigest), "invalidArgument", "GetActionResult of a malformed digest");
        await expectStatus(updateResult(server, actionDigest, {}), "invalidArgument", "UpdateActionResult of such");
      }
    },
  },
  {
    id: "action-cache/no-result",
    title: "an update without a result is refused",
    source: `${source}: INVALID_ARGUMENT`,
    async run(server) {
      const request = { instanceName: server.instance, actionDigest: newAction() };
      const call = server.actionCache.updateActionResult(request);
      await expectStatus(call, "invalidArgument", "UpdateActionResult without a result");
    },
  },
  {
    id: "action-cache/malformed-output",
    title: "a result whose outputs have malformed digests is refused",
    source: `${source}: INVALID_ARGUMENT`,
    async run(server) {
      const digest = { hash: "no hash", sizeBytes: 1n };
      for (const result of [
        { outputFiles: [{ path: "out", digest }] },
        { stdoutDigest: digest },
        { outputDirectories: [{ path: "dir", treeDigest: digest }] },
        { outputDirectories: [{ path: "dir", rootDirectoryDigest: digest }] },
      ]) {
        await expectStatus(updateResult(server, newAction(), result), "invalidArgument", "UpdateActionResult");
      }
    },
  },
];

import type { Case, Server } from "../case.ts";
import { expectFound, expectMiss, fetchBlob, newUri, pushBlob } from "../support/assets.ts";
import { newBlob, upload } from "../support/blobs.ts";
import { chunksOf, readAll, readName, writeBlob, writeMessages, writeName } from "../support/byte-stream.ts";
import { newNestedDirectory } from "../support/directories.ts";
import { readCalls, writeCalls } from "../support/every-call.ts";
import { expectBytes, expectEntry, expectEqual, expectOk, expectStatus } from "../support/expect.ts";

const source = "BuildStream: INVALID_ARGUMENT is its probe's answer for a usable remote";

/** The same server, with another instance as the one that a case uses. */
const as = (server: Server, instance: string): Server => ({ ...server, instance });

/** Instances that differ: each in turn writes, the others look. */
const everyInstance = (server: Server): string[] => [server.instance, ...server.others];

export const instanceCases: readonly Case[] = [
  {
    id: "instances/unknown",
    title: "every call for an unknown instance is NOT_FOUND",
    source,
    async run(server) {
      const calls = { ...readCalls(server, "no/such/instance"), ...writeCalls(server, "no/such/instance") };
      for (const [name, call] of Object.entries(calls)) await expectStatus(call(), "notFound", name);
    },
  },
  {
    id: "instances/unknown-capabilities",
    title: "GetCapabilities of an unknown instance is NOT_FOUND",
    source: "remote_execution.proto, GetCapabilitiesRequest.instance_name",
    async run(server) {
      const call = server.capabilities.getCapabilities({ instanceName: "no/such/instance" });
      await expectStatus(call, "notFound", "GetCapabilities");
    },
  },
  {
    id: "instances/unknown-probe",
    title: "a probe for an unknown instance is not answered with INVALID_ARGUMENT",
    source,
    async run({ fetch, push }) {
      const instanceName = "no/such/instance";
      await expectStatus(fetch.fetchBlob({ instanceName }), "notFound", "FetchBlob of nothing");
      await expectStatus(fetch.fetchDirectory({ instanceName }), "notFound", "FetchDirectory of nothing");
      await expectStatus(push.pushBlob({ instanceName }), "notFound", "PushBlob of nothing");
      await expectStatus(push.pushDirectory({ instanceName }), "notFound", "PushDirectory of nothing");
    },
  },
  {
    id: "instances/part-of-a-name",
    title: "a part of an instance's name, or more than it, is another name",
    source: "remote_execution.proto: instance names are whole",
    needs: ["others"],
    async run(server) {
      const slashed = server.others.find((each) => each.includes("/")) ?? "a/b";
      for (const instanceName of [slashed.split("/")[0] ?? "", `${slashed}/more`, `/${slashed}`, `${slashed}/`]) {
        const call = server.cas.findMissingBlobs({ instanceName, blobDigests: [newBlob().digest] });
        await expectStatus(call, "notFound", `FindMissingBlobs in ${JSON.stringify(instanceName)}`);
      }
    },
  },
  {
    id: "instances/each-works",
    title: "instances with and without slashes store and serve",
    source: "remote_execution.proto: instance names may have slashes",
    needs: ["others"],
    async run(server) {
      for (const each of everyInstance(server).map((instance) => as(server, instance))) {
        const [small, large] = [newBlob(), newBlob(2_000_000)];
        await upload(each, each.instance, [small]);
        await expectOk(writeBlob(each, each.instance, large), "Write");
        for (const { digest, data } of [small, large]) {
          expectBytes(
            await expectOk(readAll(each, { resourceName: readName(each.instance, digest) }), "Read"),
            data,
            "Read",
          );
        }
        const uris = [newUri()];
        await pushBlob(each, { uris, blobDigest: small.digest });
        expectFound(await fetchBlob(each, { uris }), small.digest, "FetchBlob");
        const { instance: instanceName, actionCache } = each;
        const actionDigest = newBlob().digest;
        await expectOk(
          actionCache.updateActionResult({ instanceName, actionDigest, actionResult: { exitCode: 5 } }),
          "UpdateActionResult",
        );
        const result = await expectOk(actionCache.getActionResult({ instanceName, actionDigest }), "GetActionResult");
        expectEqual(result.exitCode, 5, "exit_code");
        await expectOk(each.capabilities.getCapabilities({ instanceName }), "GetCapabilities");
      }
    },
  },
  {
    id: "instances/blobs-apart",
    title: "a blob of one instance is in no other, by whatever call",
    source: "tenants: what one pushed is never visible to another",
    needs: ["others"],
    async run(server) {
      const instances = everyInstance(server);
      for (const owner of instances) {
        const { root, blobs } = newNestedDirectory();
        await upload(server, owner, blobs);
        for (const instanceName of instances.filter((each) => each !== owner)) {
          const { FindMissingBlobs: _, BatchReadBlobs: __, ...plain } = readCalls(server, instanceName, root.digest);
          for (const [name, call] of Object.entries(plain)) await expectStatus(call(), "notFound", name);
          const digests = blobs.map(({ digest }) => digest);
          const { missingBlobDigests } = await server.cas.findMissingBlobs({ instanceName, blobDigests: digests });
          expectEqual(missingBlobDigests.length, blobs.length, "digests listed");
          const { responses } = await server.cas.batchReadBlobs({ instanceName, digests });
          for (const { status } of responses) expectEntry(status, "notFound", "BatchReadBlobs of another's blob");
        }
      }
    },
  },
  {
    id: "instances/upload-tells-nothing",
    title: "an upload of another's blob is not taken for done, and is verified",
    source: "tenants: what one pushed is never visible to another",
    needs: ["others"],
    async run(server) {
      const [instanceName = ""] = server.others;
      const blob = newBlob(1000);
      await upload(server, server.instance, [blob]);
      const name = writeName(instanceName, blob.digest);
      const wrong = writeMessages(server, chunksOf(name, newBlob(1000).data));
      await expectStatus(wrong, "invalidArgument", "Write of wrong data for another's blob");
      const requests = [{ digest: blob.digest, data: newBlob(1000).data }];
      const { responses } = await server.cas.batchUpdateBlobs({ instanceName, requests });
      expectEntry(responses[0]?.status, "invalidArgument", "BatchUpdateBlobs of wrong data for another's blob");
      const read = readAll(server, { resourceName: readName(instanceName, blob.digest) });
      await expectStatus(read, "notFound", "Read of another's blob");
      expectEqual(await expectOk(writeMessages(server, chunksOf(name, blob.data)), "Write"), 1000n, "committed_size");
    },
  },
  {
    id: "instances/names-apart",
    title: "action results and assets of one instance are in no other",
    source: "tenants: what one pushed is never visible to another",
    needs: ["others"],
    async run(server) {
      const instances = everyInstance(server);
      const blob = newBlob();
      for (const instance of instances) await upload(server, instance, [blob]);
      for (const owner of instances) {
        const actionDigest = newBlob().digest;
        const uris = [newUri()];
        await pushBlob(as(server, owner), { uris, blobDigest: blob.digest });
        await expectOk(
          server.actionCache.updateActionResult({ instanceName: owner, actionDigest, actionResult: {} }),
          "UpdateActionResult",
        );
        for (const instanceName of instances.filter((each) => each !== owner)) {
          expectMiss(await fetchBlob(as(server, instanceName), { uris }), "FetchBlob of another's asset");
          const call = server.actionCache.getActionResult({ instanceName, actionDigest });
          await expectStatus(call, "notFound", "GetActionResult of another's action");
        }
      }
    },
  },
  {
    id: "instances/completeness-apart",
    title: "what another has makes nothing complete",
    source: "tenants: what one pushed is never visible to another",
    needs: ["others"],
    async run(server) {
      const other = as(server, server.others[0] ?? "");
      const [blob, file] = [newBlob(), newBlob()];
      await upload(server, server.instance, [blob, file]);
      const uris = [newUri()];
      await pushBlob(other, { uris, blobDigest: blob.digest });
      expectMiss(await fetchBlob(other, { uris }), "FetchBlob");
      const actionDigest = newBlob().digest;
      const actionResult = { outputFiles: [{ path: "out", digest: file.digest }] };
      const request = { instanceName: other.instance, actionDigest };
      await expectOk(server.actionCache.updateActionResult({ ...request, actionResult }), "UpdateActionResult");
      await expectStatus(server.actionCache.getActionResult(request), "notFound", "GetActionResult");
    },
  },
];

import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { ActionResultSchema } from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Case, Server } from "../case.ts";
import { blobOf, emptyBlob, isThere, messageBlob, newBlob, newText, type TestBlob, upload } from "../support/blobs.ts";
import { readAll, readName } from "../support/byte-stream.ts";
import { expectBytes, expectEqual, expectOk, expectTrue } from "../support/expect.ts";
import { type HttpAnswer, type HttpQuestion, type HttpVersion, http } from "../support/http.ts";

const source = "Bazel's HTTP caching protocol";
const needs = ["older"] as const;

const pathOf = (kind: "ac" | "cas", { digest }: TestBlob): string => `/${kind}/${digest.hash}`;

const casesOf = (version: HttpVersion): Case[] => {
  const prefix = version === "HTTP/2" ? "http2-cache" : "http1-cache";
  const ask = (server: Pick<Server, "url">, question: HttpQuestion): Promise<HttpAnswer> =>
    http(server.url, question, version);
  const put = (server: Pick<Server, "url">, path: string, body: Uint8Array, headers = {}): Promise<HttpAnswer> =>
    ask(server, { path, method: "PUT", body, headers });

  return [
    {
      id: `${prefix}/blobs`,
      title: `${version}: a blob that is PUT is there for every protocol, and one of another is found by GET`,
      source,
      needs,
      async run(server) {
        for (const size of [1, 1000, 3_000_000]) {
          const [own, other] = [newBlob(size), newBlob(size)];
          expectEqual((await put(server, pathOf("cas", own), own.data)).status, 200, "status of PUT");
          const resourceName = readName(server.instance, own.digest);
          expectBytes(await expectOk(readAll(server, { resourceName }), "Read"), own.data, "Read of what was PUT");
          await upload(server, server.instance, size > 1_000_000 ? [own] : [other]);
          const asked = size > 1_000_000 ? own : other;
          const found = await ask(server, { path: pathOf("cas", asked) });
          expectEqual(found.status, 200, "status of GET");
          expectBytes(found.body, asked.data, "GET");
          expectEqual(found.headers["content-length"], String(size), "content-length");
        }
        const empty = await ask(server, { path: pathOf("cas", emptyBlob) });
        expectEqual(`${empty.status} ${empty.body.length}`, "200 0", "GET of the empty blob");
        expectEqual((await ask(server, { path: pathOf("cas", newBlob()) })).status, 404, "GET of what is not there");
      },
    },
    {
      id: `${prefix}/head`,
      title: `${version}: HEAD tells length and tag, and sends nothing`,
      source,
      needs,
      async run(server) {
        const blob = newBlob(5000);
        await upload(server, server.instance, [blob]);
        const { status, headers, body } = await ask(server, { path: pathOf("cas", blob), method: "HEAD" });
        expectEqual(`${status} ${headers["content-length"]} ${body.length}`, "200 5000 0", "HEAD");
        expectEqual(headers.etag, `"${blob.digest.hash}"`, "etag");
        expectTrue(/immutable/.test(headers["cache-control"] ?? ""), "cache-control does not say immutable");
        const again = { path: pathOf("cas", blob), headers: { "if-none-match": headers.etag ?? "" } };
        expectEqual((await ask(server, again)).status, 304, "status of GET with the tag");
        expectEqual((await ask(server, { path: pathOf("cas", newBlob()), method: "HEAD" })).status, 404, "absent");
      },
    },
    {
      id: `${prefix}/ranges`,
      title: `${version}: one range of a blob`,
      source: "RFC 9110, section 14",
      needs,
      async run(server) {
        const blob = newBlob(1000);
        await upload(server, server.instance, [blob]);
        const get = (range: string) => ask(server, { path: pathOf("cas", blob), headers: { range } });
        for (const [range, start, end] of [
          ["bytes=0-0", 0, 1],
          ["bytes=10-19", 10, 20],
          ["bytes=990-", 990, 1000],
          ["bytes=990-5000", 990, 1000],
          ["bytes=-10", 990, 1000],
          ["bytes=-5000", 0, 1000],
        ] as const) {
          const { status, headers, body } = await get(range);
          expectEqual(status, 206, `status of ${range}`);
          expectEqual(headers["content-range"], `bytes ${start}-${end - 1}/1000`, `content-range of ${range}`);
          expectBytes(body, blob.data.subarray(start, end), range);
        }
        expectEqual((await get("bytes=1000-")).status, 416, "status of a range behind the end");
        for (const ignored of ["bytes=5-4", "bytes=0-1,3-4", "lines=1-2"]) {
          expectEqual((await get(ignored)).body.length, 1000, `bytes of ${ignored}`);
        }
      },
    },
    {
      id: `${prefix}/zstd`,
      title: `${version}: zstd both ways, where both sides want it`,
      source: "RFC 8878",
      needs,
      async run(server) {
        const text = newText(500_000);
        const sent = await put(server, pathOf("cas", text), zstdCompressSync(text.data), {
          "content-encoding": "zstd",
        });
        expectEqual(sent.status, 200, "status of a compressed PUT");
        const found = await ask(server, { path: pathOf("cas", text), headers: { "accept-encoding": "gzip, zstd" } });
        expectEqual(found.headers["content-encoding"], "zstd", "content-encoding");
        expectTrue(found.body.length < text.data.length / 10, "the answer is hardly smaller");
        expectBytes(zstdDecompressSync(found.body), text.data, "a compressed GET");
        const plain = await ask(server, { path: pathOf("cas", text), headers: { "accept-encoding": "zstd;q=0" } });
        expectEqual(plain.headers["content-encoding"], undefined, "content-encoding of who does not want it");
        const other = newText(1000);
        const wrong = await put(server, pathOf("cas", other), zstdCompressSync(text.data), {
          "content-encoding": "zstd",
        });
        expectEqual(wrong.status, 400, "status of other data");
        expectTrue(!(await isThere(server, server.instance, other.digest)), "other data was stored");
        const unknown = await put(server, pathOf("cas", other), other.data, { "content-encoding": "br" });
        expectEqual(unknown.status, 415, "status of brotli");
      },
    },
    {
      id: `${prefix}/wrong`,
      title: `${version}: wrong data, sizes and paths are refused and store nothing`,
      source,
      needs,
      async run(server) {
        const [blob, other] = [newBlob(1000), newBlob(1000)];
        expectEqual((await put(server, pathOf("cas", blob), other.data)).status, 400, "status of other data");
        expectEqual((await put(server, pathOf("cas", blob), blob.data.subarray(1))).status, 400, "status of less data");
        expectTrue(!(await isThere(server, server.instance, blob.digest)), "wrong data was stored");
        const paths = ["/cas/", "/cas/xyz", `/cas/${blob.digest.hash.toUpperCase()}`, `/cas/${blob.digest.hash}/1000`];
        for (const path of paths)
          expectEqual((await put(server, path, blob.data)).status >= 400, true, `PUT of ${path}`);
        const deleted = await ask(server, { path: pathOf("cas", blob), method: "DELETE" });
        expectEqual(deleted.status, 405, "status of DELETE");
        const nowhere = await ask(server, { path: `/no/such/instance${pathOf("cas", blob)}` });
        expectEqual(nowhere.status, 404, "status of an unknown instance");
      },
    },
    {
      id: `${prefix}/results`,
      title: `${version}: an action result is one for HTTP and gRPC, and served only while its outputs are there`,
      source,
      needs,
      async run(server) {
        const { instance: instanceName } = server;
        const [action, output] = [newBlob(), newBlob()];
        const outputFiles = [{ path: "out", digest: output.digest }];
        const result = messageBlob(ActionResultSchema, { outputFiles, exitCode: 0 });
        expectEqual((await put(server, pathOf("ac", action), result.data)).status, 200, "status of PUT");
        expectEqual((await ask(server, { path: pathOf("ac", action) })).status, 404, "GET without its output");
        await upload(server, instanceName, [output]);
        const found = await ask(server, { path: pathOf("ac", action) });
        expectBytes(found.body, result.data, "GET");
        expectTrue(!/immutable/.test(found.headers["cache-control"] ?? ""), "a result may be replaced");
        const byGrpc = server.actionCache.getActionResult({ instanceName, actionDigest: action.digest });
        expectEqual((await expectOk(byGrpc, "GetActionResult")).outputFiles[0]?.path, "out", "path by gRPC");
        const other = newBlob();
        const update = { instanceName, actionDigest: other.digest, actionResult: { outputFiles, exitCode: 3 } };
        await expectOk(server.actionCache.updateActionResult(update), "UpdateActionResult");
        expectEqual((await ask(server, { path: pathOf("ac", other) })).status, 200, "GET of what came by gRPC");
        const nonsense = await put(server, pathOf("ac", newBlob()), Buffer.from("no result"));
        expectEqual(nonsense.status, 400, "status of what is no result");
      },
    },
    {
      id: `${prefix}/rights`,
      title: `${version}: where push is off, nothing is taken, and all is served`,
      source,
      needs: ["older", "pullOnly"],
      async run(server) {
        const pulling = server.connect("pullOnly");
        const blob = newBlob();
        for (const kind of ["ac", "cas"] as const) {
          expectEqual((await put(pulling, pathOf(kind, blob), blob.data)).status, 403, `status of PUT to ${kind}`);
        }
        expectTrue(!(await isThere(server, server.instance, blob.digest)), "the refused blob was stored");
        await upload(server, server.instance, [blob]);
        expectBytes((await ask(pulling, { path: pathOf("cas", blob) })).body, blob.data, "GET where push is off");
      },
    },
    {
      id: `${prefix}/instances`,
      title: `${version}: what stands before /ac/ and /cas/ is the instance name`,
      source,
      needs: ["older", "others"],
      async run(server) {
        const [one = "", other = ""] = server.others;
        const blob = newBlob();
        expectEqual((await put(server, `/${one}${pathOf("cas", blob)}`, blob.data)).status, 200, "status of PUT");
        expectEqual((await ask(server, { path: `/${one}${pathOf("cas", blob)}` })).status, 200, "GET in its instance");
        expectEqual((await ask(server, { path: `/${other}${pathOf("cas", blob)}` })).status, 404, "GET in another");
        expectEqual((await ask(server, { path: pathOf("cas", blob) })).status, 404, "GET without an instance");
      },
    },
    {
      id: `${prefix}/full`,
      title: `${version}: a full cache says so, and keeps what it took`,
      source,
      needs: ["older", "small"],
      async run(server) {
        const small = server.connect("small");
        const large = { ...blobOf(Buffer.alloc(100 << 20, newBlob().data)) };
        const { status, headers } = await put(small, pathOf("cas", large), large.data);
        expectEqual(status, 503, "status of PUT to a full cache");
        expectTrue(Number(headers["retry-after"]) > 0, "no retry-after");
      },
    },
  ];
};

export const httpCacheCases: readonly Case[] = [...casesOf("HTTP/1.1"), ...casesOf("HTTP/2")];

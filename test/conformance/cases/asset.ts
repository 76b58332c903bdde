import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Case } from "../case.ts";
import {
  expectFound,
  expectMiss,
  fetchBlob,
  fetchDirectory,
  newUri,
  pushBlob,
  pushDirectory,
} from "../support/assets.ts";
import { emptyBlob, newBlob, upload } from "../support/blobs.ts";
import { newNestedDirectory } from "../support/directories.ts";
import { expectEqual, expectStatus } from "../support/expect.ts";

const source = "remote_asset.proto";
const hour = 3_600_000;

export const assetCases: readonly Case[] = [
  {
    id: "asset/probe-fetch",
    title: "a fetch without URIs is INVALID_ARGUMENT",
    source: "BuildStream: so it finds out that a remote is usable",
    async run(server) {
      const { instance: instanceName } = server;
      await expectStatus(server.fetch.fetchBlob({ instanceName }), "invalidArgument", "FetchBlob of nothing");
      await expectStatus(server.fetch.fetchDirectory({ instanceName }), "invalidArgument", "FetchDirectory of nothing");
    },
  },
  {
    id: "asset/probe-push",
    title: "a push without URIs is INVALID_ARGUMENT",
    source: "BuildStream: so it finds out that a remote takes pushes",
    async run(server) {
      const { instance: instanceName } = server;
      await expectStatus(server.push.pushBlob({ instanceName }), "invalidArgument", "PushBlob of nothing");
      await expectStatus(server.push.pushDirectory({ instanceName }), "invalidArgument", "PushDirectory of nothing");
    },
  },
  {
    id: "asset/absent",
    title: "what was not pushed is NOT_FOUND",
    source: "BuildStream: any other answer stops a build",
    async run(server) {
      expectMiss(await fetchBlob(server, { uris: [newUri(), newUri()] }), "FetchBlob");
      expectMiss(await fetchDirectory(server, { uris: [newUri(), newUri()] }), "FetchDirectory");
    },
  },
  {
    id: "asset/round-trip",
    title: "a blob that was pushed is found, and its URI named",
    source,
    async run(server) {
      const blob = newBlob();
      const uri = newUri();
      await upload(server, server.instance, [blob]);
      await pushBlob(server, { uris: [uri], blobDigest: blob.digest });
      const fetched = await fetchBlob(server, { uris: [uri] });
      expectFound(fetched, blob.digest, "FetchBlob");
      expectEqual(fetched.uri === uri, true, "uri in the answer is the one asked for");
    },
  },
  {
    id: "asset/several-uris-pushed",
    title: "a push with several URIs is found under each",
    source: `${source}, PushBlobRequest.uris; BuildStream pushes strong and weak key together`,
    async run(server) {
      const blob = newBlob();
      const uris = [newUri(), newUri()];
      await upload(server, server.instance, [blob]);
      await pushBlob(server, { uris, blobDigest: blob.digest });
      for (const uri of uris) expectFound(await fetchBlob(server, { uris: [uri] }), blob.digest, "FetchBlob");
    },
  },
  {
    id: "asset/several-uris-fetched",
    title: "a fetch of several URIs finds the first that is there",
    source: `${source}, FetchBlobRequest.uris; BuildStream asks for strong and weak key together`,
    async run(server) {
      const blobs = [newBlob(), newBlob()] as const;
      const [one, two] = [newUri(), newUri()];
      await upload(server, server.instance, blobs);
      await pushBlob(server, { uris: [one], blobDigest: blobs[0].digest });
      await pushBlob(server, { uris: [two], blobDigest: blobs[1].digest });
      const fetched = await fetchBlob(server, { uris: [newUri(), two, one] });
      expectFound(fetched, blobs[1].digest, "FetchBlob of an absent, the second, the first");
      expectEqual(fetched.uri === two, true, "uri in the answer is the one found");
      expectFound(await fetchBlob(server, { uris: [one, two] }), blobs[0].digest, "FetchBlob of the first, the second");
    },
  },
  {
    id: "asset/overwrite",
    title: "a later push replaces the one before, under its own URIs alone",
    source: "BuildStream: a rebuild pushes another digest; many strong keys share a weak one",
    async run(server) {
      const blobs = [newBlob(), newBlob()] as const;
      const [strong, otherStrong, weak] = [newUri(), newUri(), newUri()];
      await upload(server, server.instance, blobs);
      await pushBlob(server, { uris: [strong, weak], blobDigest: blobs[0].digest });
      await pushBlob(server, { uris: [otherStrong, weak], blobDigest: blobs[1].digest });
      expectFound(await fetchBlob(server, { uris: [weak] }), blobs[1].digest, "FetchBlob of what was pushed twice");
      expectFound(await fetchBlob(server, { uris: [strong] }), blobs[0].digest, "FetchBlob of what was pushed once");
      await pushBlob(server, { uris: [strong], blobDigest: blobs[1].digest });
      expectFound(await fetchBlob(server, { uris: [strong] }), blobs[1].digest, "FetchBlob of the replaced");
    },
  },
  {
    id: "asset/qualifiers",
    title: "qualifiers are part of the key",
    source: `${source}, Qualifier`,
    async run(server) {
      const blobs = [newBlob(), newBlob()] as const;
      const uris = [newUri()];
      const qualified = [{ name: "vcs.branch", value: "main" }];
      await upload(server, server.instance, blobs);
      await pushBlob(server, { uris, qualifiers: qualified, blobDigest: blobs[0].digest });
      expectMiss(await fetchBlob(server, { uris }), "FetchBlob without the qualifier");
      const other = [{ name: "vcs.branch", value: "other" }];
      expectMiss(await fetchBlob(server, { uris, qualifiers: other }), "FetchBlob with another value");
      await pushBlob(server, { uris, blobDigest: blobs[1].digest });
      expectFound(await fetchBlob(server, { uris, qualifiers: qualified }), blobs[0].digest, "FetchBlob with it");
      expectFound(await fetchBlob(server, { uris }), blobs[1].digest, "FetchBlob without it");
    },
  },
  {
    id: "asset/qualifier-order",
    title: "the order of qualifiers says nothing",
    source: `${source}, Qualifier: names and values`,
    async run(server) {
      const blob = newBlob();
      const uris = [newUri()];
      const qualifiers = [
        { name: "b", value: "1" },
        { name: "a", value: "2" },
      ];
      await upload(server, server.instance, [blob]);
      await pushBlob(server, { uris, qualifiers, blobDigest: blob.digest });
      const turned = [...qualifiers].reverse();
      expectFound(await fetchBlob(server, { uris, qualifiers: turned }), blob.digest, "FetchBlob in another order");
    },
  },
  {
    id: "asset/qualifiers-do-not-run-together",
    title: "different qualifiers never make the same key",
    source: `${source}, Qualifier`,
    async run(server) {
      const blob = newBlob();
      const uris = [newUri()];
      await upload(server, server.instance, [blob]);
      await pushBlob(server, { uris, qualifiers: [{ name: "a", value: 'b","c' }], blobDigest: blob.digest });
      for (const qualifiers of [
        [{ name: 'a","b', value: "c" }],
        [{ name: "ab", value: '","c' }],
        [{ name: "a", value: "b" }],
      ]) {
        expectMiss(await fetchBlob(server, { uris, qualifiers }), "FetchBlob with other qualifiers");
      }
    },
  },
  {
    id: "asset/expired",
    title: "what has expired is gone, what will is there and says when",
    source: `${source}, PushBlobRequest.expire_at`,
    async run(server) {
      const blob = newBlob();
      const [past, future] = [newUri(), newUri()];
      await upload(server, server.instance, [blob]);
      const later = timestampFromMs(Date.now() + hour);
      await pushBlob(server, { uris: [past], blobDigest: blob.digest, expireAt: timestampFromMs(Date.now() - hour) });
      await pushBlob(server, { uris: [future], blobDigest: blob.digest, expireAt: later });
      expectMiss(await fetchBlob(server, { uris: [past] }), "FetchBlob of the expired");
      const fetched = await fetchBlob(server, { uris: [future] });
      expectFound(fetched, blob.digest, "FetchBlob of what will expire");
      expectEqual(fetched.expires === later.seconds, true, "expires_at is what was pushed");
    },
  },
  {
    id: "asset/oldest-content",
    title: "content older than the client accepts is not found",
    source: `${source}, FetchBlobRequest.oldest_content_accepted`,
    async run(server) {
      const blob = newBlob();
      const uris = [newUri()];
      await upload(server, server.instance, [blob]);
      await pushBlob(server, { uris, blobDigest: blob.digest });
      const at = (ms: number) => fetchBlob(server, { uris, oldestContentAccepted: timestampFromMs(Date.now() + ms) });
      expectMiss(await at(hour), "FetchBlob of what is newer than the next hour");
      expectFound(await at(-hour), blob.digest, "FetchBlob of what is newer than the last hour");
    },
  },
  {
    id: "asset/incomplete",
    title: "a pushed blob that is absent is NOT_FOUND, and found once it is there",
    source: "BuildStream: a miss is rebuilt and so healed; a refused push fails the build",
    async run(server) {
      const blob = newBlob();
      const uris = [newUri()];
      await pushBlob(server, { uris, blobDigest: blob.digest });
      expectMiss(await fetchBlob(server, { uris }), "FetchBlob of what is absent");
      await upload(server, server.instance, [blob]);
      expectFound(await fetchBlob(server, { uris }), blob.digest, "FetchBlob of what is there");
    },
  },
  {
    id: "asset/incomplete-first",
    title: "an incomplete entry does not hide a complete one under the next URI",
    source: "BuildStream: several URIs mean any of them",
    async run(server) {
      const [absent, there] = [newBlob(), newBlob()];
      const [one, two] = [newUri(), newUri()];
      await upload(server, server.instance, [there]);
      await pushBlob(server, { uris: [one], blobDigest: absent.digest });
      await pushBlob(server, { uris: [two], blobDigest: there.digest });
      expectFound(await fetchBlob(server, { uris: [one, two] }), there.digest, "FetchBlob of both");
    },
  },
  {
    id: "asset/blobs-and-directories-apart",
    title: "a pushed blob is no directory, a pushed directory no blob",
    source: `${source}: FetchBlob and FetchDirectory`,
    async run(server) {
      const blob = newBlob();
      const directory = newNestedDirectory();
      const uris = [newUri()];
      await upload(server, server.instance, [blob, ...directory.blobs]);
      await pushBlob(server, { uris, blobDigest: blob.digest });
      expectMiss(await fetchDirectory(server, { uris }), "FetchDirectory of a blob");
      await pushDirectory(server, { uris, rootDirectoryDigest: directory.root.digest });
      expectFound(await fetchDirectory(server, { uris }), directory.root.digest, "FetchDirectory");
      expectFound(await fetchBlob(server, { uris }), blob.digest, "FetchBlob");
    },
  },
  {
    id: "asset/no-digest",
    title: "a push without a digest, or with a malformed one, is refused",
    source: `${source}: INVALID_ARGUMENT`,
    async run(server) {
      const { instance: instanceName, push } = server;
      const uris = [newUri()];
      const digests = [undefined, { hash: "no hash", sizeBytes: 1n }, { hash: newBlob().digest.hash, sizeBytes: -1n }];
      for (const digest of digests) {
        const [blobs, directories] = digest ? [{ blobDigest: digest }, { rootDirectoryDigest: digest }] : [{}, {}];
        await expectStatus(push.pushBlob({ instanceName, uris, ...blobs }), "invalidArgument", "PushBlob");
        const call = push.pushDirectory({ instanceName, uris, ...directories });
        await expectStatus(call, "invalidArgument", "PushDirectory");
      }
    },
  },
  {
    id: "asset/empty-blob",
    title: "the empty blob and the empty directory may be pushed",
    source: "BuildStream: an element without sources refers to the empty directory",
    async run(server) {
      const uris = [newUri()];
      await pushBlob(server, { uris, blobDigest: emptyBlob.digest });
      await pushDirectory(server, { uris, rootDirectoryDigest: emptyBlob.digest });
      expectFound(await fetchBlob(server, { uris }), emptyBlob.digest, "FetchBlob");
      expectFound(await fetchDirectory(server, { uris }), emptyBlob.digest, "FetchDirectory");
    },
  },
];

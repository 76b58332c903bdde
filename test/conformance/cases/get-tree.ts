import { create, toBinary } from "@bufbuild/protobuf";
import {
  type Directory,
  DirectorySchema,
  type GetTreeRequestSchema,
} from "../../../src/gen/build/bazel/remote/execution/v2/remote_execution_pb.ts";
import type { Case, Server } from "../case.ts";
import { blobOf, emptyBlob, newBlob, type TestBlob, upload } from "../support/blobs.ts";
import { directoryOf } from "../support/directories.ts";
import { expectEqual, expectOk, expectStatus, expectTrue } from "../support/expect.ts";
import type { Init } from "../support/init.ts";

const source = "remote_execution.proto, GetTree";

interface Pages {
  readonly directories: readonly Directory[];
  /** Of each response: how many directories, and where the next begins. */
  readonly pages: readonly { readonly size: number; readonly token: string }[];
}

async function tree(server: Server, request: Init<typeof GetTreeRequestSchema>): Promise<Pages> {
  const call = server.cas.getTree();
  await call.send({ instanceName: server.instance, ...request });
  call.halfClose();
  const directories: Directory[] = [];
  const pages: { size: number; token: string }[] = [];
  for await (const page of call) {
    directories.push(...page.directories);
    pages.push({ size: page.directories.length, token: page.nextPageToken });
  }
  // A server may end the stream before the tree is at its end.
  const pageToken = pages.at(-1)?.token ?? "";
  if (pageToken === "" || directories.length === 0) return { directories, pages };
  const rest = await tree(server, { ...request, pageToken });
  return { directories: [...directories, ...rest.directories], pages: [...pages, ...rest.pages] };
}

const hashes = (directories: readonly Directory[]): string[] =>
  directories.map((each) => blobOf(toBinary(DirectorySchema, create(DirectorySchema, each))).digest.hash);

/** Fails unless the directories are just these; their order is the server's. */
function expectDirectories(actual: readonly Directory[], expected: readonly TestBlob[]): void {
  const found = hashes(actual);
  const wanted = expected.map(({ digest }) => digest.hash);
  expectEqual(found.length, wanted.length, "directories");
  expectTrue(
    wanted.every((hash) => found.includes(hash)),
    "a directory of the tree is not in the answer",
  );
}

/** root -> (a, b); a -> shared; b -> shared. */
function newTree(): TestBlob[] {
  const shared = directoryOf({ files: [newBlob()] });
  const a = directoryOf({ files: [newBlob()], directories: [shared] });
  const b = directoryOf({ files: [newBlob()], directories: [shared] });
  return [directoryOf({ directories: [a, b] }), a, b, shared];
}

const rootOf = (blobs: readonly TestBlob[]): TestBlob["digest"] => (blobs[0] as TestBlob).digest;

export const getTreeCases: readonly Case[] = [
  {
    id: "get-tree/each-once",
    title: "every directory of a tree, one in two places once",
    source,
    async run(server) {
      const blobs = newTree();
      await upload(server, server.instance, blobs);
      const { directories } = await expectOk(tree(server, { rootDigest: rootOf(blobs) }), "GetTree");
      expectDirectories(directories, blobs);
    },
  },
  {
    id: "get-tree/no-root",
    title: "an absent root is NOT_FOUND",
    source,
    async run(server) {
      await expectStatus(tree(server, { rootDigest: newBlob().digest }), "notFound", "GetTree");
    },
  },
  {
    id: "get-tree/no-digest",
    title: "a request without a root is refused",
    source,
    async run(server) {
      await expectStatus(tree(server, {}), "invalidArgument", "GetTree");
    },
  },
  {
    id: "get-tree/child-left-out",
    title: "an absent directory below the root is left out",
    source,
    async run(server) {
      const blobs = newTree();
      const [root, a, b, shared] = blobs as [TestBlob, TestBlob, TestBlob, TestBlob];
      await upload(server, server.instance, [root, a, shared]);
      expectTrue(b !== undefined, "four directories");
      const { directories } = await expectOk(tree(server, { rootDigest: root.digest }), "GetTree");
      expectDirectories(directories, [root, a, shared]);
    },
  },
  {
    id: "get-tree/empty-directory",
    title: "the empty blob is the empty directory",
    source: "BuildStream: elements without sources refer to it",
    async run(server) {
      const { directories } = await expectOk(tree(server, { rootDigest: emptyBlob.digest }), "GetTree");
      expectTrue(
        directories.length <= 1 && hashes(directories).every((hash) => hash === emptyBlob.digest.hash),
        "the answer is not the empty directory",
      );
    },
  },
  {
    id: "get-tree/pages",
    title: "pages of one directory, each from the token before, are the whole tree",
    source,
    async run(server) {
      const blobs = newTree();
      await upload(server, server.instance, blobs);
      const rootDigest = rootOf(blobs);
      const { directories, pages } = await expectOk(tree(server, { rootDigest, pageSize: 1 }), "GetTree");
      expectDirectories(directories, blobs);
      expectTrue(
        pages.every(({ size }) => size <= 1),
        "a page has more directories than asked for",
      );
      const pageToken = pages[1]?.token ?? "";
      const rest = await expectOk(tree(server, { rootDigest, pageSize: 1, pageToken }), "GetTree with a token");
      expectTrue(hashes(rest.directories).join() === hashes(directories).slice(2).join(), "the token leads elsewhere");
    },
  },
  {
    id: "get-tree/bad-token",
    title: "a token that is none, or of another root, is refused",
    source,
    async run(server) {
      const [one, other] = [newTree(), newTree()];
      await upload(server, server.instance, [...one, ...other]);
      const { pages } = await expectOk(tree(server, { rootDigest: rootOf(one), pageSize: 1 }), "GetTree");
      for (const pageToken of ["no token", pages[0]?.token ?? ""]) {
        const call = tree(server, { rootDigest: rootOf(other), pageToken });
        await expectStatus(call, "invalidArgument", "GetTree with another's token");
      }
    },
  },
  {
    id: "get-tree/large",
    title: "a tree of more than 4 MiB comes in messages below 4 MiB",
    source: "gRPC clients take 4 MiB in a message",
    async run(server) {
      const text = Buffer.alloc(2000, "a path ").toString();
      const leaves = Array.from({ length: 3000 }, (_, i) => directoryOf({ symlinks: { [`to-${i}`]: text } }));
      const root = directoryOf({ directories: leaves });
      await upload(server, server.instance, [root, ...leaves]);
      const { directories } = await expectOk(tree(server, { rootDigest: root.digest }), "GetTree");
      expectDirectories(directories, [root, ...leaves]);
    },
  },
  {
    id: "get-tree/large-directories",
    title: "directories of nearly 4 MiB come in messages below 4 MiB",
    source: "gRPC clients take 4 MiB in a message",
    async run(server) {
      const text = Buffer.alloc(4000, "a path ").toString();
      const sizes = [200, 1020, 200, 1020];
      const leaves = sizes.map((size, i) => {
        const links = Array.from({ length: size }, (_, n) => [`link-${i}-${n}`, text]);
        return directoryOf({ symlinks: Object.fromEntries(links) });
      });
      const root = directoryOf({ directories: leaves });
      await upload(server, server.instance, [root, ...leaves]);
      const { directories } = await expectOk(tree(server, { rootDigest: root.digest }), "GetTree");
      expectDirectories(directories, [root, ...leaves]);
    },
  },
  {
    id: "get-tree/deep",
    title: "a tree of 1,000 levels",
    source,
    async run(server) {
      const blobs: TestBlob[] = [directoryOf({ files: [newBlob()] })];
      for (let i = 0; i < 1000; i++) blobs.unshift(directoryOf({ directories: [blobs[0] as TestBlob] }));
      await upload(server, server.instance, blobs);
      const { directories } = await expectOk(tree(server, { rootDigest: rootOf(blobs) }), "GetTree");
      expectDirectories(directories, blobs);
    },
  },
];

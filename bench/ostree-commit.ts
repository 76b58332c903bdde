// Commits a directory as `ostree commit --canonical-permissions` does it: node bench/ostree-commit.ts REPOSITORY DIRECTORY
import { ArchiveRepository } from "../src/ostree/archive/archive-repository.ts";
import { commitTree } from "../src/ostree/archive/commit-tree.ts";
import { directoryTree } from "../src/ostree/archive/directory-tree.ts";
import { encodeCommit } from "../src/ostree/commit.ts";

const [directory = "", tree = ""] = process.argv.slice(2);
const repository = await ArchiveRepository.open(directory);
await using change = await repository.begin();
const { tree: root, treeMeta } = await commitTree(change, directoryTree(tree), { canonical: true });
const about = { metadata: [], parent: undefined, subject: "", body: "", timestamp: 1_700_000_000 };
const commit = await change.putMetadata("commit", encodeCommit({ ...about, tree: root, treeMeta }));
change.setRef("bench", commit);
await change.publish();
process.stdout.write(`${commit}\n`);

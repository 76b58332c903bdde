import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { ByteSource } from "./byte-source.ts";
import { readTar } from "./tar-reader.ts";
import { type TarEntry, tarEnd, tarHeader, tarPadding } from "./tar-writer.ts";

const modified = 1_321_009_871;
const file = (path: string, size: number, mode = 0o644): TarEntry => ({ path, kind: "file", mode, size, modified });
const link = (path: string, target: string): TarEntry => ({ ...file(path, 0, 0o777), kind: "symlink", target });
const entries: TarEntry[] = [
  { ...file("./bin/", 0, 0o755), kind: "directory" },
  file("./bin/tool", 3, 0o755),
  file(`./${"n".repeat(98)}`, 0),
  file(`./${"n".repeat(99)}`, 512),
  file(`./${"l".repeat(300)}/x`, 1),
  file("./grüße 船 😀", 700),
  link("./link", "bin/tool"),
  link("./long", "t".repeat(101)),
  link("./ü", "ü"),
];

function archive(): Buffer {
  const parts = entries.flatMap((entry) => [tarHeader(entry), Buffer.alloc(entry.size, "x"), tarPadding(entry.size)]);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([...parts, tarEnd(length)]);
}

test("an archive is the one that Python's tarfile writes", () => {
  const program = `
import io, json, sys, tarfile
types = {"file": tarfile.REGTYPE, "directory": tarfile.DIRTYPE, "symlink": tarfile.SYMTYPE}
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as tar:
    for entry in json.load(sys.stdin):
        info = tarfile.TarInfo(entry["path"].rstrip("/"))
        info.mode, info.mtime, info.type = entry["mode"], entry["modified"], types[entry["kind"]]
        info.size, info.linkname = entry["size"], entry.get("target", "")
        tar.addfile(info, io.BytesIO(b"x" * entry["size"]))
`;
  const written = execFileSync("python3", ["-c", program], { input: JSON.stringify(entries) });
  assert.ok(archive().equals(written));
});

test("what is written is read back", async () => {
  const source = new ByteSource(
    (async function* () {
      yield archive();
    })(),
  );
  const read: object[] = [];
  for await (const entry of readTar(source, { marked: true })) {
    const path = Buffer.from(entry.path).toString();
    if (entry.kind === "file") read.push({ path, size: entry.size, executable: entry.executable });
    else if (entry.kind === "symlink") read.push({ path, target: Buffer.from(entry.target).toString() });
    else read.push({ path });
  }
  const expected = entries.map(({ path, kind, size, mode, target }) =>
    kind === "file" ? { path, size, executable: mode === 0o755 } : kind === "symlink" ? { path, target } : { path },
  );
  assert.deepEqual(read, expected);
});

test("the size of a huge file stands in an extended header", () => {
  const header = Buffer.from(tarHeader(file("./huge", 2 ** 40)));
  assert.equal(header.length, 3 * 512);
  assert.ok(header.includes(`22 size=${2 ** 40}\n`));
});

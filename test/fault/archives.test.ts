import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StillageError } from "../../src/base/errors.ts";
import { Closure } from "../../src/cache/closure.ts";
import { made, madeByPython, unpacked } from "../../src/origin/archive/archive.fixture.ts";

const tree = `
mkdir -p t/dir/deep t/empty
echo -n hello > t/hello.txt
echo -n tool > t/dir/tool; chmod 755 t/dir/tool
ln -s ../hello.txt t/dir/link
ln -s /etc/passwd t/dir/outside
ln t/hello.txt t/dir/same.txt
head -c 3000000 /dev/zero > t/dir/deep/big
: > t/nothing
echo -n u > "t/dir/ünïcödé 日本 😀"
`;

const files = {
  "t/hello.txt": "hello",
  "t/nothing": "",
  "t/empty/": "/",
  "t/dir/link": "-> ../hello.txt",
  "t/dir/outside": "-> /etc/passwd",
  "t/dir/same.txt": "hello",
  "t/dir/tool": "x tool",
  "t/dir/deep/big": "3000000",
  "t/dir/ünïcödé 日本 😀": "u",
};

const code = (expected: string) => (error: unknown) => error instanceof StillageError && error.code === expected;

describe("an archive", () => {
  const forms: [what: string, command: string][] = [
    ["tar", "tar cf out t"],
    ["tar, pax", "tar cf out --format=pax t"],
    ["tar, ustar", "tar cf out --format=ustar t"],
    ["tar, GNU, in blocks of 1 MiB", "tar cf out --format=gnu -b 2048 t"],
    ["tar.gz", "tar czf out t"],
    ["tar.gz in two members", "tar cf x t; head -c 5000 x | gzip > out; tail -c +5001 x | gzip >> out"],
    ["tar.xz", "tar cJf out t"],
    ["tar.bz2", "tar cjf out t"],
    ["tar.zst", "tar --zstd -cf out t"],
    ["tar.zst with a long window", "tar -cf x t; zstd -q --ultra -22 --long=27 x -o out"],
    ["zip", "zip -qry out.zip t; mv out.zip out"],
    ["zip, not compressed", "zip -qry0 out.zip t; mv out.zip out"],
  ];
  let root: string | undefined;
  for (const [what, command] of forms) {
    it(`is a directory: ${what}`, async () => {
      const found = await unpacked(made(`${tree}${command}`));
      assert.deepEqual(found.files, files);
      root ??= found.root.hash;
      assert.equal(found.root.hash, root, "the same tree is the same directory");
      const closure = new Closure(found.blobs, () => 0);
      assert.equal(await closure.complete([{ walk: "directory", digest: found.root }]), true);
    });
  }

  it("is the same directory in whatever order its entries come", async () => {
    const forward = await unpacked(made(`${tree} tar cf out t/hello.txt t/dir t/empty t/nothing`));
    const backward = await unpacked(made(`${tree} tar cf out t/nothing t/empty t/dir t/hello.txt`));
    assert.equal(forward.root.hash, backward.root.hash);
    assert.equal(forward.root.hash, root);
  });

  it("without an end, or with the old program's headers, is read", async () => {
    const whole = { a: "1", "d/b": "2" };
    const make = "mkdir d; echo -n 1 > a; echo -n 2 > d/b;";
    assert.deepEqual((await unpacked(made(`${make} tar cf - a d | head -c 2560 > out`))).files, whole);
    assert.deepEqual((await unpacked(made(`${make} tar cf out --format=v7 a d`))).files, whole);
  });

  it("of gzip may be filled up with zero bytes", async () => {
    const filled = Buffer.concat([made("echo -n 1 > a; tar czf out a"), Buffer.alloc(20_000)]);
    assert.deepEqual((await unpacked(filled)).files, { a: "1" });
  });

  it("with nothing in it is the empty directory", async () => {
    for (const script of ["tar cf out -T /dev/null", "tar czf out -T /dev/null"]) {
      const { root: empty, files: none } = await unpacked(made(script));
      assert.deepEqual([empty.size, none], [0, {}]);
    }
    const { root: empty } = await unpacked(madeByPython("import zipfile; zipfile.ZipFile('out', 'w').close()"));
    assert.equal(empty.size, 0);
  });

  it("that was appended to has the last of each", async () => {
    const found = await unpacked(made("echo -n 1 > a; tar cf out a; echo -n 2 > a; tar rf out a"));
    assert.deepEqual(found.files, { a: "2" });
  });

  it("has long names and large numbers, by every extension", async () => {
    const long = `${"d".repeat(120)}/${"e".repeat(120)}/${"f".repeat(200)}`;
    const make = `mkdir -p $(dirname ${long}); echo -n x > ${long}; ln -s ${long} l;`;
    for (const format of ["gnu", "pax"]) {
      const found = await unpacked(made(`${make} tar cf out --format=${format} ${long} l`));
      assert.deepEqual(found.files, { [long]: "x", l: `-> ${long}` });
    }
    const ids = "tar cf out --format=gnu --owner=:3000000000 --group=:3000000000 --mtime=2500-01-01 a";
    assert.deepEqual((await unpacked(made(`echo -n 1 > a; ${ids}`))).files, { a: "1" });
  });

  it("gives one of its directories", async () => {
    const archive = made(`${tree} tar cf out t`);
    const { files: inside } = await unpacked(archive, { directory: ["t", "dir", "deep"] });
    assert.deepEqual(inside, { big: "3000000" });
    for (const directory of [["nowhere"], ["t", "hello.txt"], ["t", "dir", "link"]]) {
      await assert.rejects(unpacked(archive, { directory }), code("not-found"));
    }
  });

  it("from Windows, or another encoding, has its names in UTF-8", async () => {
    const windows = `
import zipfile
with zipfile.ZipFile('out', 'w') as z:
    info = zipfile.ZipInfo('dir/ä.txt'); info.create_system = 0; z.writestr(info, 'x')
    info = zipfile.ZipInfo('tool'); info.create_system = 3; info.external_attr = 0o100755 << 16; z.writestr(info, 'y')`;
    assert.deepEqual((await unpacked(madeByPython(windows))).files, { "dir/ä.txt": "x", tool: "x y" });
  });

  it("of zip that was written to a pipe is read: sizes come behind the content then", async () => {
    const found = await unpacked(made("echo -n hello > a; seq 2000 > b; zip -q - a b | cat > out"));
    assert.deepEqual(found.files, { a: "hello", b: "8893" });
  });

  it("of zip64 is read", async () => {
    const wide = `
import zipfile
with zipfile.ZipFile('out', 'w') as z:
    with z.open(zipfile.ZipInfo('a'), 'w', force_zip64=True) as f: f.write(b'wide')
    for i in range(65600): z.writestr('d/%d' % i, '')`;
    const found = await unpacked(madeByPython(wide));
    assert.equal(Object.keys(found.files).length, 65_601);
    assert.equal(found.files.a, "wide");
  });
});

/** A tar of entries as Python's tarfile writes them, whatever they say. */
const tar = (lines: string) =>
  madeByPython(`
import tarfile, io
t = tarfile.open('out', 'w', format=tarfile.PAX_FORMAT)
def add(name, data=b'', **more):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in more.items(): setattr(info, key, value)
    t.addfile(info, io.BytesIO(data))
${lines}
t.close()`);

const zip = (lines: string) =>
  madeByPython(`
import zipfile, warnings
warnings.simplefilter('ignore')
z = zipfile.ZipFile('out', 'w')
def add(name, data='', mode=0o100644):
    info = zipfile.ZipInfo(name); info.create_system = 3; info.external_attr = mode << 16
    z.writestr(info, data)
${lines}
z.close()`);

describe("an archive that cannot be taken", () => {
  const bad: [what: string, archive: () => Buffer, why: RegExp][] = [
    ["an absolute path", () => tar("add('/etc/passwd', b'x')"), /absolute/],
    ["a way out", () => tar("add('a/../../b', b'x')"), /leads out/],
    ["a way out, in a zip", () => zip("add('../b', 'x')"), /leads out/],
    ["an absolute path, in a zip", () => zip("add('/b', 'x')"), /absolute/],
    ["a backslash, in a zip", () => zip("add('..\\\\b', 'x')"), /backslash/],
    [
      "something below a link",
      () => tar("add('l', type=tarfile.SYMTYPE, linkname='/etc'); add('l/passwd', b'x')"),
      /is a symlink, and has something below/,
    ],
    ["something below a link, in a zip", () => zip("add('l', '/etc', 0o120777); add('l/x', 'x')"), /is a symlink/],
    ["something below a file", () => tar("add('f', b'x'); add('f/x', b'x')"), /is a file/],
    ["a file in the place of a directory", () => tar("add('d/x', b'x'); add('d', b'x')"), /is a directory/],
    ["a directory in the place of a file", () => tar("add('d', b'x'); add('d', type=tarfile.DIRTYPE)"), /is a file/],
    ["a file twice, in a zip", () => zip("add('a', '1'); add('a', '2')"), /twice/],
    ["the root as a file", () => tar("add('./', b'x', type=b'2', linkname='x')"), /itself/],
    ["a name in Latin-1", () => made("touch $'\\xe4'; tar cf out --format=gnu $'\\xe4'"), /not UTF-8/],
    ["a name in Latin-1, in a zip", () => latin1Zip(), /not UTF-8/],
    ["a hard link to nothing", () => tar("add('l', type=tarfile.LNKTYPE, linkname='a'); add('a', b'x')"), /hard link/],
    ["a hard link out", () => tar("add('l', type=tarfile.LNKTYPE, linkname='../../etc/passwd')"), /leads out/],
    [
      "a hard link to a directory",
      () => tar("add('d/x', b'x'); add('l', type=tarfile.LNKTYPE, linkname='d')"),
      /hard link/,
    ],
    ["a character device", () => tar("add('null', type=tarfile.CHRTYPE, devmajor=1, devminor=3)"), /character device/],
    ["a block device", () => tar("add('sda', type=tarfile.BLKTYPE)"), /block device/],
    ["a pipe", () => made("mkfifo p; tar cf out p"), /named pipe/],
    ["a pipe, in a zip", () => zip("add('p', '', 0o010644)"), /device or a pipe/],
    ["an unknown type", () => tar("add('u', type=b'Z')"), /unknown type/],
    ["a sparse file", () => made("truncate -s 100M s; tar cSf out --format=gnu s"), /sparse/],
    ["a sparse file, pax", () => made("truncate -s 100M s; tar cSf out --format=pax s"), /sparse/],
    [
      "one name for all",
      () => made("echo x > a; tar cf out --format=pax --pax-option=globexthdr.name=g,path=evil a"),
      /global/,
    ],
    ["a password", () => made("echo x > a; zip -qP pw o.zip a; mv o.zip out"), /encrypted/],
    [
      "a strange method",
      () =>
        madeByPython(
          "import zipfile; z=zipfile.ZipFile('out','w',zipfile.ZIP_LZMA); z.writestr('a','x'*99); z.close()",
        ),
      /method 14/,
    ],
    ["something in front", () => Buffer.concat([zipOf(), zipOf()]), /not where it should be|several volumes/],
    ["something behind", () => Buffer.concat([zipOf(), Buffer.from("x")]), /end is missing/],
    ["no archive", () => Buffer.from("just text, and rather long. ".repeat(100)), /no archive/],
    ["nothing at all", () => Buffer.alloc(0), /no archive/],
    ["compressed text", () => made("seq 10000 | gzip > out"), /no archive/],
    ["compressed text, xz", () => made("seq 10000 | xz > out"), /no archive/],
    ["a broken gzip", () => damaged("czf", 3000), /compression is broken|header/],
    [
      "something behind a gzip",
      () => Buffer.concat([made("echo x > a; tar czf out a"), Buffer.from("tail")]),
      /broken/,
    ],
    ["a broken xz", () => damaged("cJf", 3000), /corrupt/i],
    ["a broken bzip2", () => damaged("cjf", 3000), /cannot be taken|no archive/],
    ["a broken zstd", () => damaged("--zstd -cf", 3000), /compression is broken/],
    ["a cut tar", () => made("head -c 5000 /dev/urandom > a; tar cf - a | head -c 3000 > out"), /ends before/],
    ["a cut gzip", () => cut("czf"), /compression is broken|ends/],
    ["a cut xz", () => cut("cJf"), /[Uu]nexpected end/],
    ["a cut zstd", () => cut("--zstd -cf"), /compression is broken|ends/],
    [
      "something behind a zstd",
      () => Buffer.concat([made("echo x > a; tar --zstd -cf out a"), Buffer.from("tail")]),
      /behind its end/,
    ],
    ["a broken header", () => brokenHeader(), /header/],
  ];
  for (const [what, archive, why] of bad) {
    it(`has ${what}`, async () => {
      await assert.rejects(
        unpacked(archive()),
        (error: StillageError) => error.code === "failed-precondition" && why.test(error.message),
      );
    });
  }

  it("is a bomb, in size or number", async () => {
    const gigabyte = made("head -c 1000000000 /dev/zero > z; tar cf - z | zstd -q > out");
    assert.ok(gigabyte.length < 200_000);
    await assert.rejects(unpacked(gigabyte, { maxBytes: 2 ** 40 }), /times the bytes/);
    const zeros = made("head -c 20000000 /dev/zero > z; tar cjf out z; zip -q o.zip z");
    await assert.rejects(unpacked(zeros, { maxBytes: 10_000_000 }), /more than 10000000 bytes/);
    const zipped = made("head -c 20000000 /dev/zero > z; zip -q o.zip z; mv o.zip out");
    await assert.rejects(unpacked(zipped, { maxBytes: 10_000_000 }), /more than 10000000 bytes/);
    const deep = tar("add('/'.join('d' * 200) + '/f', b'x')");
    await assert.rejects(unpacked(deep), /deeper/);
    const header = tar("add('f', b'x', pax_headers={'comment': 'x' * 2000000})");
    await assert.rejects(unpacked(header), /too long/);
    const links = tar(
      "for i in range(20000): add('d%d/%d' % (i % 20, i), type=tarfile.SYMTYPE, linkname='€' + 'x' * 4000)",
    );
    await assert.rejects(unpacked(links), /names and links/);
    const again = tar("for i in range(20000): add('same', type=tarfile.SYMTYPE, linkname='x' * 4000)");
    await assert.rejects(unpacked(again), /names and links/);
    const wide = tar("for i in range(9000): add('%d' % i, type=tarfile.SYMTYPE, linkname='x' * 4000)");
    await assert.rejects(unpacked(wide), /too many entries/);
  });

  it("does not fit into the store", async () => {
    const archive = made("head -c 3000000 /dev/urandom > a; tar cf out a");
    await assert.rejects(unpacked(archive, { quota: 1_000_000 }), code("exhausted"));
  });

  const empty: [what: string, archive: () => Buffer][] = [
    ["gzip", () => repeated(made(": | gzip > out"), 1_500_000)],
    ["bzip2", () => repeated(made(": | bzip2 > out"), 1_500_000)],
    ["xz", () => repeated(made(": | xz > out"), 1_500_000)],
    ["zip", () => emptyBlocksZip()],
  ];
  for (const [what, archive] of empty) {
    it(`is given up in the middle where nobody wants it, also where nothing comes out of it: ${what}`, async () => {
      const leaving = new AbortController();
      let reads = 0;
      const reading = (): void => {
        if (++reads === 5) leaving.abort(new StillageError("deadline", "late"));
      };
      await assert.rejects(unpacked(archive(), { signal: leaving.signal, reading }), code("deadline"));
      assert.equal(reads, 5);
    });
  }

  it("is told by its own bytes, whichever of them is damaged", async () => {
    const archive = made(`${tree} rm t/dir/deep/big; tar cf out t`);
    const zipped = made(`${tree} rm t/dir/deep/big; zip -qry o.zip t; mv o.zip out`);
    for (const whole of [archive, zipped]) {
      for (let at = 0; at < whole.length; at += Math.max(1, Math.floor(whole.length / 400))) {
        const broken = Buffer.from(whole);
        broken[at] = (broken[at] as number) ^ (1 << (at % 8));
        // Either it is taken, as where the damage is in a date, or it is refused as what it is: never anything else.
        await unpacked(broken).catch((error: StillageError) =>
          assert.equal(error.code, "failed-precondition", String(error.stack)),
        );
      }
    }
  });
});

const zipOf = () => zip("add('a', 'content')");

/** So many bytes or some more. */
function repeated(bytes: Buffer, length: number): Buffer {
  return Buffer.concat(Array.from({ length: Math.ceil(length / bytes.length) }, () => bytes));
}

/** An entry of no bytes, in many blocks of deflate that are stored and have none (RFC 1951, section 3.2.4). */
function emptyBlocksZip(): Buffer {
  return madeByPython(`
import zipfile, zlib
blocks = b'\\x00\\x00\\x00\\xff\\xff' * 300000 + b'\\x01\\x00\\x00\\xff\\xff'
class Empty:
    def compress(self, data): return b''
    def flush(self): return blocks
zipfile._get_compressor = lambda *each: Empty()
with zipfile.ZipFile('out', 'w', zipfile.ZIP_DEFLATED) as z: z.writestr('a', b'')`);
}

function latin1Zip(): Buffer {
  const archive = zip("add('QQ', 'x')");
  for (let at = archive.indexOf("QQ"); at >= 0; at = archive.indexOf("QQ", at + 2)) archive.fill(0xe4, at, at + 2);
  return archive;
}

function damaged(flags: string, at: number): Buffer {
  const archive = made(`head -c 20000 /dev/urandom > a; tar ${flags} out a`);
  archive.fill(0x55, at, at + 2000);
  return archive;
}

function cut(flags: string): Buffer {
  return made(`head -c 20000 /dev/urandom > a; tar ${flags} out a; truncate -s 15000 out`);
}

function brokenHeader(): Buffer {
  const archive = made("echo x > a; echo y > b; tar cf out a b");
  archive.fill(0x41, 1024, 1100);
  return archive;
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { bannedWords } from "./banned-words.ts";
import { shapeProblems } from "./shape.ts";

const lines = (count: number): string => "const a = 1;\n".repeat(count);

test("a file has up to 400 lines, generated code any number", () => {
  assert.deepEqual(shapeProblems("src/base/x.ts", lines(400)), []);
  assert.equal(shapeProblems("src/base/x.ts", lines(401)).length, 1);
  assert.deepEqual(shapeProblems("src/gen/x_pb.ts", lines(401)), []);
});

test("a default export is found", () => {
  assert.match(shapeProblems("a.ts", "export default 1;\n").join(), /default export/);
});

test("a recursive mkdir is found where users name the path", () => {
  const text = "await mkdir(join(a, b), { recursive: true });\n";
  assert.match(shapeProblems("src/base/x.ts", text).join(), /recursive mkdir/);
  assert.deepEqual(shapeProblems("src/base/x.test.ts", text), []);
  assert.deepEqual(shapeProblems("src/base/x.ts", "mkdir(a);\nrm(b, { recursive: true });\n"), []);
});

test("a file of nothing but re-exports is a barrel, whatever its comments say", () => {
  assert.match(
    shapeProblems("a.ts", '// All.\nexport * from "./b.ts";\nexport {\n  c,\n} from "./c.ts";\n').join(),
    /barrel/,
  );
  assert.deepEqual(shapeProblems("a.ts", 'export { b } from "./b.ts";\nexport const c = 1;\n'), []);
  assert.deepEqual(shapeProblems("a.ts", 'import "./b.ts";\n'), []);
  assert.deepEqual(shapeProblems("src/library.ts", 'export { b } from "./b.ts";\n'), []);
});

test("banned words are found with their line", () => {
  const word = ["TO", "DO"].join("");
  assert.match(bannedWords(`one\n// ${word}: two\n`).join(), new RegExp(`^line 2: "${word}"`));
  assert.equal(bannedWords(`see /${"work"}/main/x\n`).length, 1);
  assert.equal(bannedWords(`https://registry${".npmjs"}.org/x\n`).length, 1);
  assert.equal(bannedWords(`test${".skip"}("x", () => {});\n`).length, 1);
  assert.deepEqual(bannedWords("work/main, src/work/x, mktemp -d XXXXXX, todos\n"), []);
});

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { kindOf, readAttachments } from "./attachment.ts";

const bytes = (value: unknown): Uint8Array => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

const spdx = { spdxVersion: "SPDX-2.3", SPDXID: "SPDXRef-DOCUMENT", packages: [] };
const cyclone = { bomFormat: "CycloneDX", specVersion: "1.6" };

describe("attachments", () => {
  it("are recognised by what is in them", () => {
    const kinds: readonly [name: string, content: unknown, kind: string, mediaType: string][] = [
      ["a.spdx.json", spdx, "spdx", "application/spdx+json"],
      ["bom.json", cyclone, "cyclonedx", "application/vnd.cyclonedx+json"],
      ["sbom", { "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld" }, "spdx", "application/spdx+json"],
      ["notes.md", "# Notes", "file", "text/markdown"],
      ["x.json", [1], "file", "application/json"],
      ["blob", "{ no JSON", "file", "application/octet-stream"],
    ];
    for (const [name, content, kind, mediaType] of kinds) {
      assert.deepEqual(kindOf(name, bytes(content)), { kind, mediaType }, name);
    }
  });

  it("are not taken where they are not what their names say", () => {
    for (const [name, content] of [
      ["a.spdx.json", cyclone],
      ["a.cdx.json", spdx],
      ["a.spdx.json", "{"],
      ["a.json", "nothing"],
    ] as const) {
      assert.throws(() => kindOf(name, bytes(content)), { code: "invalid" }, name);
    }
    assert.throws(() => kindOf("a.json", Uint8Array.of(0x22, 0xff, 0x22)), { code: "invalid" });
  });

  it("have names, and types where they are said", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stillage-attach-"));
    try {
      const file = join(folder, "notes.txt");
      await writeFile(file, "hello\n");
      const [first, second] = await readAttachments([`other=${file};type=text/x-notes`, file]);
      assert.deepEqual([first?.name, first?.mediaType, first?.size], ["notes.txt", "text/plain", 6]);
      assert.deepEqual([second?.name, second?.mediaType], ["other", "text/x-notes"]);
      for (const spec of [`manifest.json=${file}`, `.x=${file}`, `=${file}`, `a=${file};type=x`, folder]) {
        await assert.rejects(readAttachments([spec]), { code: "invalid" }, spec);
      }
      await assert.rejects(readAttachments([file, `notes.txt=${file}`]), { code: "invalid" });
      await assert.rejects(readAttachments([join(folder, "none")]), { code: "not-found" });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { fromFileSystem, StillageError } from "../base/errors.ts";
import { isAttachmentName, maxNameLength, reservedNames } from "./attachment-name.ts";
import type { ManifestAttachment } from "./manifest.ts";

/** A file that somebody gives with a release, and what it holds. */
export interface Attachment extends ManifestAttachment {
  readonly bytes: Uint8Array;
}

/** The bill of materials of a large system has some tens of megabytes. */
export const maxAttachmentBytes = 128 << 20;
/** All of one release, which are in memory while it is made. */
const maxAllBytes = 512 << 20;
const maxAttachments = 64;

const mediaTypes: Readonly<Record<string, string>> = {
  ".json": "application/json",
  ".txt": "text/plain",
  ".md": "text/markdown",
  ".yaml": "application/yaml",
  ".yml": "application/yaml",
  ".xml": "application/xml",
  ".pdf": "application/pdf",
  ".asc": "application/pgp-signature",
  ".gz": "application/gzip",
  ".zip": "application/zip",
};

/**
 * Reads what `--attach` names: `[NAME=]FILE[;type=MEDIA/TYPE]`. Documents of SPDX and CycloneDX are recognised by what is in them, and have to be what their
 * names say. Errors: `invalid`, `not-found`.
 */
export async function readAttachments(specs: readonly string[]): Promise<Attachment[]> {
  if (specs.length > maxAttachments) {
    throw new StillageError(
      "invalid",
      `${specs.length} attachments are more than a release may have (${maxAttachments})`,
    );
  }
  const attachments: Attachment[] = [];
  let total = 0;
  for (const spec of specs) {
    const attachment = await readAttachment(spec);
    if (attachments.some(({ name }) => name === attachment.name)) {
      throw new StillageError("invalid", `two attachments have the name ${attachment.name}`, {
        hint: "give one of them another: --attach NAME=FILE",
      });
    }
    total += attachment.size;
    if (total > maxAllBytes) throw new StillageError("invalid", `the attachments have more than ${maxAllBytes} bytes`);
    attachments.push(attachment);
  }
  return attachments.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readAttachment(spec: string): Promise<Attachment> {
  const [, given, path = "", type] = /^(?:([^=/]*)=)?(.*?)(?:;type=([^;]*))?$/s.exec(spec) ?? [];
  const name = checkName(given ?? basename(path));
  if (type !== undefined && !/^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(type)) {
    throw new StillageError("invalid", `${JSON.stringify(type)} is not a media type, such as text/plain`);
  }
  const bytes = await readBounded(path);
  const { kind, mediaType } = kindOf(name, bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { name, kind, mediaType: type ?? mediaType, sha256, size: bytes.length, bytes };
}

async function readBounded(path: string): Promise<Uint8Array> {
  const what = `the attachment ${path} cannot be read`;
  try {
    const stats = await stat(path);
    if (!stats.isFile()) throw new StillageError("invalid", `${what}: it is not a file`);
    if (stats.size > maxAttachmentBytes) {
      throw new StillageError(
        "invalid",
        `${what}: it has ${stats.size} bytes, and up to ${maxAttachmentBytes} are taken`,
      );
    }
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new StillageError("not-found", `there is no file ${path}`);
    throw fromFileSystem(error, what);
  }
}

function checkName(name: string): string {
  if (isAttachmentName(name)) return name;
  throw new StillageError("invalid", `${JSON.stringify(name.slice(0, 200))} cannot be the name of an attachment`, {
    hint: `up to ${maxNameLength} letters, digits, and . _ + ~ - inside, other than ${reservedNames.join(", ")}: --attach NAME=FILE`,
  });
}

/** What a file is. Errors: `invalid` where its name says what its content denies. */
export function kindOf(name: string, bytes: Uint8Array): Pick<ManifestAttachment, "kind" | "mediaType"> {
  const claimed = /\.spdx\.json$/i.test(name)
    ? "SPDX"
    : /\.(cdx|cyclonedx)\.json$/i.test(name)
      ? "CycloneDX"
      : undefined;
  const json = /\.json$/i.test(name) || bytes[0] === 0x7b ? parseJson(name, bytes) : undefined;
  const recognised = json === undefined ? undefined : documentKind(json);
  if (claimed !== undefined && recognised?.kind !== claimed.toLowerCase()) {
    throw new StillageError("invalid", `${name} is not a document of ${claimed}, as its name says`, {
      hint:
        claimed === "SPDX" ? "spdxVersion, or @context of SPDX 3, is missing" : "bomFormat or specVersion is missing",
    });
  }
  if (recognised !== undefined) return recognised;
  const mediaType = mediaTypes[extname(name).toLowerCase()] ?? "application/octet-stream";
  return { kind: "file", mediaType };
}

/** `undefined` for what is no JSON and is not called so. Errors: `invalid` for what is called so and is none. */
function parseJson(name: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    if (!/\.json$/i.test(name)) return undefined;
    throw new StillageError("invalid", `${name} is not JSON: ${(error as Error).message}`);
  }
}

/** SPDX 2.2 and 2.3 (clause 6.1, `spdxVersion`), SPDX 3 (JSON-LD of its model), CycloneDX (`bomFormat`, `specVersion`). */
function documentKind(json: unknown): Pick<ManifestAttachment, "kind" | "mediaType"> | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const { spdxVersion, SPDXID, bomFormat, specVersion } = json as Record<string, unknown>;
  const context = JSON.stringify((json as Record<string, unknown>)["@context"] ?? "");
  const spdx2 = typeof spdxVersion === "string" && /^SPDX-2\.\d$/.test(spdxVersion) && SPDXID === "SPDXRef-DOCUMENT";
  if (spdx2 || context.includes("spdx.org/rdf/3")) return { kind: "spdx", mediaType: "application/spdx+json" };
  if (bomFormat === "CycloneDX" && typeof specVersion === "string") {
    return { kind: "cyclonedx", mediaType: "application/vnd.cyclonedx+json" };
  }
  return undefined;
}

import { createHash } from "node:crypto";
import { after, afterEach, before, beforeEach } from "node:test";
import { digestOf } from "../base/digest.ts";
import { sha256 } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import { type HostPattern, parseHostPattern } from "../base/host-pattern.ts";
import type { Log } from "../base/log.ts";
import { type MemoryTenant, memoryTenant } from "../cache/tenant.fixture.ts";
import { Origin, type OriginAsset, type OriginQuery, type OriginRules } from "./origin.ts";
import { startWebServer, type WebServer } from "./web-server.fixture.ts";

/** What a test asks for; of the qualifiers each has a name of its own. */
export type Ask = Partial<Omit<OriginQuery, "qualifiers">> & { readonly qualifiers?: Record<string, string> };

export const testRules: OriginRules = {
  mode: "any",
  allow: [parseHostPattern("127.0.0.1") as HostPattern],
  deny: [],
  maxBytes: 10_000_000,
  timeoutMs: 60_000,
};

/** An origin that may ask a web server of its own, and a fresh tenant for each test of the file. */
export class OriginTest {
  web!: WebServer;
  tenant!: MemoryTenant;
  /** What was logged, as JSON. */
  logged: string[] = [];
  /** The time, in milliseconds since 1970. */
  now = 1000;
  private origins: Origin[] = [];

  constructor() {
    before(async () => {
      this.web = await startWebServer();
    });
    after(() => this.web[Symbol.asyncDispose]());
    beforeEach(() => {
      this.now = 1000;
      this.tenant = memoryTenant("main", () => this.now);
      this.web.requests.length = 0;
      this.logged = [];
    });
    afterEach(async () => {
      await Promise.all(this.origins.splice(0).map((each) => each.close()));
    });
  }

  open(more: Partial<OriginRules> = {}, blobs = this.tenant.blobs): Origin {
    const keep = (fields: object, message: string) => void this.logged.push(JSON.stringify({ ...fields, message }));
    const log: Log = { debug: keep, info: keep, warn: keep, error: keep };
    const resolve = async () => [{ address: "127.0.0.1", family: 4 }];
    const rules = { ...testRules, ...more };
    const origin = new Origin({
      rules,
      staging: () => blobs,
      userAgent: "stillage/test",
      log,
      clock: () => this.now,
      resolve,
    });
    this.origins.push(origin);
    return origin;
  }

  query(paths: readonly string[], { qualifiers = {}, ...more }: Ask = {}): OriginQuery {
    return {
      kind: "blob",
      uris: paths.map((path) => (path.startsWith("/") ? `${this.web.url}${path}` : path)),
      qualifiers: Object.entries(qualifiers).map(([name, value]) => ({ name, value })),
      function: undefined,
      oldest: undefined,
      signal: new AbortController().signal,
      timeoutMs: undefined,
      client: undefined,
      request: "id",
      ...more,
    };
  }

  fetch(origin: Origin, paths: readonly string[], more?: Ask): Promise<OriginAsset | undefined> {
    return origin.fetch(this.tenant, this.query(paths, more));
  }
}

/** A checksum of content, as a qualifier says it. */
export const sri = (content: string | Buffer, name = "sha256"): string =>
  `${name}-${createHash(name).update(content).digest("base64")}`;

export const hashOf = (content: string | Buffer): string => digestOf(sha256, Buffer.from(content)).hash;

/** What `assert.rejects` takes: an error of this code. */
export const code =
  (expected: string) =>
  (error: unknown): boolean =>
    error instanceof StillageError && error.code === expected;

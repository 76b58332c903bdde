import { readFile } from "node:fs/promises";
import { type ClientRequest, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { StillageError } from "../base/errors.ts";
import { onBehalfHeader, secretPathOf } from "../base/receive-socket.ts";
import { post } from "../http/post.ts";
import type { RefUpdate } from "./update.ts";

/** Where a running server is: at a Unix socket in its store's directory, or elsewhere. */
export type ServerPlace =
  | { readonly socket: string; readonly store: string | undefined }
  | { readonly url: URL; readonly token: string | undefined };

export interface CacheServerOptions {
  readonly place: ServerPlace;
  /** The instance name; may be empty. */
  readonly instance: string;
  /** Who pushes: honoured by the server's own socket alone. */
  readonly as: string | undefined;
}

/** What became of objects. */
export interface ReceivedObjects {
  readonly stored: number;
  readonly present: number;
  /** Detached metadata of commits, in Base64, for whoever names the commits. */
  readonly detached: Readonly<Record<string, string>>;
}

type Updates = ReadonlyMap<string, RefUpdate>;

/** The server that keeps what is pushed, by HTTP (docs/OSTREE.md, "Pushing"). Errors: `unavailable` where it cannot be reached; what it says itself in its own words. */
export class CacheServer {
  private readonly options: CacheServerOptions;
  private secret: string | undefined;

  constructor(options: CacheServerOptions) {
    this.options = options;
  }

  /** Whether refs might be set, as far as that can be known before their objects are there. */
  async check(updates: Updates): Promise<void> {
    await this.post("refs", json({ check: true, refs: Object.fromEntries(updates) }));
  }

  /** Hands over a tar stream of objects, which is read to its end whatever the server says: only then the pusher listens. */
  async objects(tar: AsyncIterable<Uint8Array>): Promise<ReceivedObjects> {
    return JSON.parse(await this.post("objects", tar)) as ReceivedObjects;
  }

  /** Sets refs, all or none. */
  async set(updates: Updates, detached: ReceivedObjects["detached"]): Promise<void> {
    await this.post("refs", json({ refs: Object.fromEntries(updates), detached }));
  }

  private async post(what: "objects" | "refs", body: Uint8Array | AsyncIterable<Uint8Array>): Promise<string> {
    const secret = await this.shown().catch((error: unknown) => Promise.reject(this.explain(error)));
    const request = this.open(what, body, secret);
    return post(request, body, (error) => this.explain(error));
  }

  /** What the server is shown; `undefined`: nothing. Read once: who sends objects has asked before whether he may, and is not to be cut off by another server's start. */
  private async shown(): Promise<string | undefined> {
    const { place } = this.options;
    if (!("socket" in place)) return place.token;
    this.secret ??= await readFile(secretPathOf(place.socket), "utf8");
    return this.secret;
  }

  private open(what: string, body: object, secret: string | undefined): ClientRequest {
    const { place, instance, as } = this.options;
    const prefix = instance === "" ? "" : `${instance.split("/").map(encodeURIComponent).join("/")}/`;
    const headers = {
      "content-type": body instanceof Uint8Array ? "application/json" : "application/x-tar",
      ...(as === undefined ? {} : { [onBehalfHeader]: encodeURIComponent(as) }),
      ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
    };
    const path = `/ostree/${prefix}${what}`;
    if ("socket" in place) return httpRequest({ socketPath: place.socket, method: "POST", path, headers });
    const { url } = place;
    const target = new URL(`${url.pathname.replace(/\/$/, "")}${path}`, url);
    const options = { method: "POST", headers };
    return url.protocol === "https:" ? httpsRequest(target, options) : httpRequest(target, options);
  }

  /** What a user can make of it that the server could not be asked, or broke off. */
  private explain(error: unknown): StillageError {
    if (error instanceof StillageError) return error;
    const { place } = this.options;
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code ?? message;
    if (!("socket" in place)) {
      return new StillageError("unavailable", `the cache server at ${place.url.origin} cannot be reached (${why})`, {
        cause: error,
      });
    }
    const whose = place.store ?? place.socket;
    if (code === "ENOENT" || code === "ECONNREFUSED") {
      return new StillageError(
        "unavailable",
        `no server is running on the store in ${whose} (${place.socket}: ${code})`,
        {
          cause: error,
          hint: "start `stillage serve` there first",
        },
      );
    }
    if (code === "EACCES" || code === "EPERM") {
      return new StillageError(
        "unavailable",
        `the server of the store in ${whose} is another user's (${place.socket}: ${code})`,
        {
          cause: error,
          hint: "log in as the user that the server runs as",
        },
      );
    }
    return new StillageError("unavailable", `the server of the store in ${whose} does not answer (${why})`, {
      cause: error,
    });
  }
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

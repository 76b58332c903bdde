import type { LimitSettings } from "./admission.ts";
import type { ExpiryOptions } from "./expiry-options.ts";
import type { HandedSockets } from "./handed-sockets.ts";
import type { ListenerConfig } from "./listener.ts";
import type { OriginSettings } from "./origin-options.ts";
import type { Part } from "./services.ts";

/** What a server is made of. Sizes in bytes; paths absolute. Plain values, which another thread can be given. */
export interface ServerOptions extends OriginSettings, LimitSettings, ExpiryOptions {
  readonly store: string;
  readonly listeners: readonly ListenerConfig[];
  /** Where programs of the store's user reach the server: a path, `auto` for one in the store's directory, `undefined` for nowhere. */
  readonly receiveSocket?: string | undefined;
  /** What listeners called `systemd:NAME` listen on. */
  readonly sockets?: HandedSockets;
  /** Instance names; each has blobs and names of its own. */
  readonly instances: readonly string[];
  readonly services: Part;
  /** The file that says who may do what. */
  readonly access: string | undefined;
  /** A file, `stderr`, or `undefined` for none. */
  readonly accessLog: string | undefined;
  /** The directory of the release repositories; `undefined`: none are served. */
  readonly releases: string | undefined;
  readonly durability: "on" | "off";
  readonly maxBatchBytes: number;
  readonly maxBlobBytes: number | undefined;
  /** In what time all that is stored is read again; `undefined`: never. */
  readonly scrubEveryMs: number | undefined;
  /** Bytes a second. */
  readonly scrubRate: number;
  /** Threads that serve connections; with 1 there is no thread but that of the store. */
  readonly workers: number;
  /** What `/status` says the program is. */
  readonly version: string;
}

export interface RunningListener {
  /** `HOST:PORT` or `unix:PATH` where it really listens; `systemd:NAME` for a Unix socket that was handed over. */
  readonly address: string;
  readonly tls: boolean;
  readonly push: boolean;
  readonly clientCertificates: boolean;
}

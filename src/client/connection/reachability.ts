import type { RemoteSpec } from "../remote-spec.ts";

/** A server that did not answer. Times are milliseconds since 1970. */
export interface Blocked {
  /** It is not tried again before that. */
  readonly until: number;
  /** When it failed first without having answered in between. */
  readonly since: number;
  readonly why: string;
}

/** Which servers did not answer lately, from one command to the next. Whoever asks for a server by name tries it all the same. */
export interface Reachability {
  /** `undefined` for one that may be tried. */
  blocked(spec: RemoteSpec): Blocked | undefined;
  /** It did not answer: it is left alone for a time that grows with each failure. */
  failed(spec: RemoteSpec, why: string): Promise<void>;
  /** It answered, whatever it said. */
  reached(spec: RemoteSpec): Promise<void>;
  /** Forgets all. */
  clear(): Promise<void>;
}

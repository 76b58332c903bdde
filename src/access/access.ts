import type { Authenticate, Caller, Identify } from "../base/caller.ts";
import type { Clock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import { type MaybePromise, then } from "../base/maybe-promise.ts";
import type { Peer } from "../base/peer.ts";
import { secretOf } from "./authorization.ts";
import { certificateName } from "./certificate-name.ts";
import { GrantedCaller, openCaller, openCallers } from "./granted-caller.ts";
import type { JwtVerifier } from "./jwt.ts";
import { refreshMs } from "./key-set.ts";
import type { Credentials, Policy } from "./policy.ts";
import { hashToken, tokenPrefix } from "./token.ts";
import type { TokenEntry } from "./token-list.ts";

/** Everything that an access file and the files that it names say; replaced as a whole when they change. */
export interface AccessState {
  readonly policy: Policy;
  /** By the hash of each. */
  readonly tokens: ReadonlyMap<string, TokenEntry>;
  readonly jwt: JwtVerifier;
}

/** Who somebody is, and how long that is good. */
interface Identity {
  readonly name: string;
  readonly credentials: Credentials;
  /** Milliseconds since 1970. */
  readonly until: number;
}

interface Remembered {
  readonly authorization: string;
  readonly onBehalfOf: string | undefined;
  readonly state: AccessState;
  readonly caller: Caller;
  readonly until: number;
}

/** Tells callers apart by what they show, and gives each the rights of the rules that fit; without a state everybody is let in. */
export class Access {
  state: AccessState | undefined;
  private readonly clock: Clock;

  constructor(state: AccessState | undefined, clock: Clock) {
    this.state = state;
    this.clock = clock;
  }

  readonly authenticate: Authenticate = (peer): Identify => {
    let last: Remembered | undefined;
    return (authorization, onBehalfOf) => {
      const { state } = this;
      const ssh = onBehalfOf === undefined ? undefined : overSsh(onBehalfOf);
      if (state === undefined && ssh !== undefined) return openCaller(ssh.name, peer.push);
      if (state === undefined) return peer.push ? openCallers.pushing : openCallers.pulling;
      const same = last?.authorization === authorization && last.onBehalfOf === onBehalfOf && last.state === state;
      if (last !== undefined && same && this.isBefore(last.until)) return last.caller;
      return then(ssh ?? this.identify(state, peer, authorization), (identity) => {
        const { policy } = state;
        const { name, credentials, until } = identity ?? anonymous(peer);
        const caller = new GrantedCaller(name, policy.grant(credentials), policy.anyone, peer.push);
        last = { authorization, onBehalfOf, state, caller, until };
        return caller;
      });
    };
  };

  private isBefore(time: number): boolean {
    return time === Number.POSITIVE_INFINITY || this.clock() < time;
  }

  /** `undefined` for a request that carries no secret. Errors: `unauthenticated`, `unavailable`. */
  private identify(state: AccessState, peer: Peer, authorization: string): MaybePromise<Identity | undefined> {
    if (authorization === "") return undefined;
    if (!peer.tls && !peer.local) {
      throw new StillageError("unauthenticated", "credentials came over a connection that is not encrypted", {
        hint: "use https or grpcs, and replace the token: others may have read it",
      });
    }
    const secret = secretOf(authorization);
    if (secret === undefined) {
      throw new StillageError("unauthenticated", "the authorization is neither a bearer token nor HTTP Basic", {
        hint: "by HTTP Basic the token is the password, whoever the user is",
      });
    }
    const { certificate } = peer;
    if (secret.startsWith(tokenPrefix)) {
      const { name, expires } = this.tokenOf(state, secret);
      const until = expires ?? Number.POSITIVE_INFINITY;
      return { name: `token ${name}`, credentials: { certificate, token: name }, until };
    }
    return state.jwt.verify(secret).then((claims) => ({
      name: `jwt ${claims.sub ?? ""}@${claims.iss}`,
      credentials: { certificate, claims },
      // Not longer than keys are believed: one that its issuer has withdrawn is noticed on open connections, too.
      until: Math.min((claims.exp ?? 0) * 1000, this.clock() + refreshMs),
    }));
  }

  private tokenOf({ tokens }: AccessState, secret: string): TokenEntry {
    const entry = tokens.get(hashToken(secret));
    const hint = "ask the cache's operator for another";
    if (entry === undefined) {
      throw new StillageError("unauthenticated", "the token is not known here; it may have been revoked", { hint });
    }
    if (entry.expires !== undefined && this.clock() >= entry.expires) {
      const day = new Date(entry.expires).toISOString();
      throw new StillageError("unauthenticated", `the token ${entry.name} expired on ${day}`, { hint });
    }
    return entry;
  }
}

/** Whom a program that sshd has started names. */
function overSsh(name: string): Identity {
  return { name: `ssh ${name}`, credentials: { ssh: name }, until: Number.POSITIVE_INFINITY };
}

/** Whoever carries no secret is known by his certificate, if at all. */
function anonymous({ certificate }: Peer): { name: string | undefined; credentials: Credentials; until: number } {
  return {
    name: certificate === undefined ? undefined : `certificate ${certificateName(certificate)}`,
    credentials: { certificate },
    until: Number.POSITIVE_INFINITY,
  };
}

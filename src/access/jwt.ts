import { errors, type JWTPayload, jwtVerify } from "jose";
import type { Clock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Issuer } from "../config/access.ts";
import { KeySet } from "./key-set.ts";

/** Signatures that only the issuer can make. Those with a shared secret (HS256 …) are none. */
const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/** How much clocks may differ. */
const toleranceSeconds = 30;

/** Verifies JSON Web Tokens (RFC 7519) of the issuers that are believed. */
export class JwtVerifier {
  private readonly issuers: ReadonlyMap<string, { readonly issuer: Issuer; readonly keys: KeySet }>;
  private readonly clock: Clock;

  private constructor(issuers: JwtVerifier["issuers"], clock: Clock) {
    this.issuers = issuers;
    this.clock = clock;
  }

  /** Errors: `failed-precondition` for a file of keys that cannot be used. */
  static async open(issuers: readonly Issuer[], clock: Clock, log: Log): Promise<JwtVerifier> {
    const all = issuers.map((issuer) => ({ issuer, keys: new KeySet(issuer.keys, clock, log) }));
    await Promise.all(all.map(({ keys }) => keys.load()));
    return new JwtVerifier(new Map(all.map((each) => [each.issuer.issuer, each])), clock);
  }

  /** The claims of a token, of which `iss`, `aud` and `exp` were checked. Errors: `unauthenticated`, `unavailable`. */
  async verify(token: string): Promise<JWTPayload> {
    const known = this.issuers.get(issuerOf(token));
    if (known === undefined) throw refused("its issuer is not believed here");
    const { issuer, keys } = known;
    const options = {
      issuer: issuer.issuer,
      audience: issuer.audience,
      algorithms,
      requiredClaims: ["exp"],
      clockTolerance: toleranceSeconds,
      currentDate: new Date(this.clock()),
    };
    const check = async (): Promise<JWTPayload> => (await jwtVerify(token, await keys.current(), options)).payload;
    try {
      return await check().catch(async (error: unknown) => {
        if (error instanceof errors.JWKSNoMatchingKey && (await keys.renew())) return check();
        throw error;
      });
    } catch (error) {
      if (error instanceof errors.JOSEError) throw refused(error.message);
      throw error;
    }
  }
}

/** Who a token says that it is from: only good to find the keys by. */
function issuerOf(token: string): string {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    return String((claims as JWTPayload).iss);
  } catch {
    throw refused("it is not a JSON Web Token");
  }
}

function refused(why: string): StillageError {
  return new StillageError("unauthenticated", `the token is not valid: ${why}`);
}

import { errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from "jose";
import type { Clock } from "../base/clock.ts";
import { StillageError } from "../base/errors.ts";
import type { Issuer } from "../config/access.ts";
import type { KeySet } from "./key-set.ts";

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

/** An issuer that is believed, and its keys. */
export interface KnownIssuer extends Issuer {
  readonly keySet: KeySet;
}

/** Verifies JSON Web Tokens (RFC 7519) of the issuers that are believed. */
export class JwtVerifier {
  private readonly issuers: ReadonlyMap<string, KnownIssuer>;
  private readonly clock: Clock;

  constructor(issuers: readonly KnownIssuer[], clock: Clock) {
    this.issuers = new Map(issuers.map((each) => [each.issuer, each]));
    this.clock = clock;
  }

  /** The claims of a token, of which `iss`, `aud` and `exp` were checked. Errors: `unauthenticated`, `unavailable`. */
  async verify(token: string): Promise<JWTPayload> {
    const known = this.issuers.get(issuerOf(token));
    if (known === undefined) throw refused("its issuer is not believed here");
    const { issuer, audience, keySet } = known;
    const options = {
      issuer,
      audience,
      algorithms,
      requiredClaims: ["exp"],
      clockTolerance: toleranceSeconds,
      currentDate: new Date(this.clock()),
    };
    try {
      return await check(token, await keySet.current(), options).catch(async (error: unknown) => {
        if (!(error instanceof errors.JWKSNoMatchingKey) || !(await keySet.renew())) throw error;
        return check(token, await keySet.current(), options);
      });
    } catch (error) {
      // What is no error of the library's is one of a key that no signature can be checked with.
      throw error instanceof StillageError ? error : refused((error as Error).message);
    }
  }
}

async function check(token: string, keys: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    // The token does not say which key it is.
    for await (const key of error) {
      const verified = await jwtVerify(token, key, options).catch((reason: unknown) => {
        if (reason instanceof errors.JWSSignatureVerificationFailed) return undefined;
        throw reason;
      });
      if (verified !== undefined) return verified.payload;
    }
    throw new errors.JWSSignatureVerificationFailed();
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

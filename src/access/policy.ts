import type { ClientCertificate } from "../base/peer.ts";
import { hasRight, noRights, type RightSet, rightsOf } from "../base/rights.ts";
import type { Rule, Who } from "../config/access.ts";
import { type Matcher, matcher } from "./pattern.ts";

/** What somebody has shown of himself; everything in it was verified. */
export interface Credentials {
  readonly certificate?: ClientCertificate | undefined;
  /** The name of a token. */
  readonly token?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Who logged in over ssh, as `authorized_keys` calls him. */
  readonly ssh?: string;
}

/** The rights that rules give in an instance. */
export type Grant = (instance: string) => RightSet;

interface CompiledRule {
  readonly fits: (credentials: Credentials) => boolean;
  readonly rights: RightSet;
  readonly instances: readonly Matcher[];
  readonly repositories: readonly Matcher[];
  readonly branches: readonly Matcher[];
}

/** Instances whose rights a grant remembers: more than a server has; the names that clients make up must not fill the memory. */
const rememberedInstances = 1000;

const nobody: Credentials = {};

/** The rules of an access file, ready to be asked. */
export class Policy {
  /** What everyone may do. */
  readonly anyone: Grant;
  private readonly rules: readonly CompiledRule[];

  constructor(rules: readonly Rule[]) {
    this.rules = rules.map(({ who, may, instances, repositories, branches }) => ({
      fits: fits(who),
      rights: rightsOf(may),
      instances: instances.map(matcher),
      repositories: repositories.map(matcher),
      branches: branches.map(matcher),
    }));
    this.anyone = this.grant(nobody);
  }

  /** The sum of all rules that fit. */
  grant(credentials: Credentials): Grant {
    const rules = this.rules.filter((rule) => rule.fits(credentials));
    const known = new Map<string, RightSet>();
    return (instance) => {
      const before = known.get(instance);
      if (before !== undefined) return before;
      const rights = rules
        .filter(({ instances }) => instances.some((matches) => matches(instance)))
        .reduce((set, rule) => set | rule.rights, noRights);
      if (known.size < rememberedInstances) known.set(instance, rights);
      return rights;
    };
  }

  /**
   * Whether one of the rules that fit lets him publish on a branch of a release repository; `undefined` stands for any of its branches. What instances a
   * rule names says where he may read what he releases, and does not matter here.
   */
  mayRelease(credentials: Credentials, repository: string, branch: string | undefined): boolean {
    return this.rules.some(
      ({ fits, rights, repositories, branches }) =>
        hasRight(rights, "release") &&
        fits(credentials) &&
        repositories.some((matches) => matches(repository)) &&
        (branch === undefined || branches.some((matches) => matches(branch))),
    );
  }
}

function fits(who: Who): CompiledRule["fits"] {
  switch (who.kind) {
    case "anyone":
      return () => true;
    case "token": {
      const name = matcher(who.name);
      return ({ token }) => token !== undefined && name(token);
    }
    case "ssh": {
      const name = matcher(who.name);
      return ({ ssh }) => ssh !== undefined && name(ssh);
    }
    case "fingerprint":
      return ({ certificate }) => certificate?.fingerprint === who.sha256;
    case "certificate": {
      const attributes = compile(who.attributes);
      return ({ certificate }) =>
        certificate !== undefined &&
        attributes.length > 0 &&
        attributes.every(([name, matches]) => certificate.subject.get(name)?.some(matches) ?? false);
    }
    case "jwt": {
      const wanted = compile(who.claims);
      return ({ claims }) =>
        claims !== undefined &&
        wanted.length > 0 &&
        wanted.every(([name, matches]) => texts(claims, name).some(matches));
    }
  }
}

function compile(patterns: Readonly<Record<string, string>>): (readonly [string, Matcher])[] {
  return Object.entries(patterns).map(([name, pattern]) => [name, matcher(pattern)] as const);
}

/** The values of a claim, where it is a text, a number, a truth value, or a list of them. */
function texts(claims: Readonly<Record<string, unknown>>, name: string): string[] {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  const all: unknown[] = Array.isArray(value) ? value : [value];
  return all.filter((each) => ["string", "number", "boolean"].includes(typeof each)).map(String);
}

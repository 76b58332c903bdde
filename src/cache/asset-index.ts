import type { Clock } from "../base/clock.ts";
import type { Digest } from "../base/digest.ts";
import type { DigestFunction } from "../base/digest-function.ts";
import { StillageError } from "../base/errors.ts";
import type { NewRef, RefName, RefStore, Root } from "../store/ref-store.ts";
import { artifactOfAsset } from "./artifact-ref-name.ts";
import { type AssetKey, assetNames } from "./asset-name.ts";
import { rootOfAsset } from "./asset-root.ts";
import type { Closure } from "./closure.ts";

/** Digests in both reference lists of one push. An artifact has a dozen; the rest is room for other tools. */
export const maxReferences = 10_000;

/** What a Fetch asks for. */
export interface AssetQuery extends AssetKey {
  /** The hash function that the client wants; `undefined`: any. */
  readonly function: DigestFunction | undefined;
  /** Milliseconds since 1970: content that was pushed earlier does not serve. */
  readonly oldest: number | undefined;
  /** What else the content has to be, as far as its digest tells; left out: anything. */
  readonly accepts?: ((digest: Digest) => boolean) | undefined;
}

/** The answer of a Fetch. */
export interface Asset {
  /** The URI, of those asked for, that was found. */
  readonly uri: string;
  readonly digest: Digest;
  /** Since when it is here, in milliseconds since 1970. */
  readonly stored: number;
  /** Milliseconds since 1970; `undefined`: it does not expire by itself. */
  readonly expires: number | undefined;
}

/** What a Push brings. */
export interface NewAsset extends AssetKey {
  readonly digest: Digest;
  /** What the pusher says the content refers to: `blob` and `directory` roots. */
  readonly references: readonly Root[];
  readonly expires: number | undefined;
  /** Since when the content is here, where it was made of an older asset; else it is as new as the push. */
  readonly stored?: number;
  /** The request as it came, kept for whoever wants to know more of the push. Not changed afterwards. */
  readonly message: Uint8Array;
  /** Who pushes, in words for people. */
  readonly by?: string | undefined;
}

export interface AssetIndexOptions {
  readonly instance: string;
  readonly refs: RefStore;
  /** Says what is complete; `undefined` where the blobs are on another server: then whatever was pushed is served. */
  readonly closure: Closure | undefined;
  readonly clock: Clock;
}

/**
 * Content by URI and qualifiers: the Remote Asset API (build/bazel/remote/asset/v1/remote_asset.proto).
 * An entry is served only while it is complete: all its roots are, as `Closure` says. A push is never refused for what is
 * missing: clients announce what they will not send, and an incomplete entry heals when it is pushed again.
 */
export class AssetIndex {
  private readonly options: AssetIndexOptions;

  constructor(options: AssetIndexOptions) {
    this.options = options;
  }

  /** The first of the URIs that has a complete entry; `undefined` where none has. Errors: `invalid` for a key that cannot be. */
  async find(query: AssetQuery): Promise<Asset | undefined> {
    const { refs, closure } = this.options;
    for (const [uri, name] of assetNames(query)) {
      const ref = await refs.get(this.refName(name));
      const digest = ref?.roots[0]?.digest;
      if (ref === undefined || digest === undefined) continue;
      if (query.function !== undefined && digest.function !== query.function) continue;
      if (query.accepts?.(digest) === false) continue;
      if (query.oldest !== undefined && ref.stored < query.oldest) continue;
      if (closure !== undefined && !(await closure.complete(ref.roots))) continue;
      return { uri, digest, stored: ref.stored, expires: ref.expires };
    }
    return undefined;
  }

  /** Stores the asset under each of its URIs, all or none, in place of what was there. Errors: `invalid`, `exhausted`. */
  async store(asset: NewAsset): Promise<void> {
    const used = this.options.clock();
    const refs = this.refsOf(asset, asset.stored ?? used);
    await this.options.refs.put(refs.map((ref) => ({ ...ref, used })));
  }

  /** The refs that an asset is, one for each of its URIs; `stored` in milliseconds since 1970. Errors: `invalid`. */
  refsOf(asset: NewAsset, stored: number): NewRef[] {
    const { kind, digest, references, message, expires, by, qualifiers } = asset;
    if (references.length > maxReferences) {
      throw new StillageError("invalid", `a push refers to at most ${maxReferences} digests, not ${references.length}`);
    }
    return [...assetNames(asset)].map(([uri, name]): NewRef => {
      const roots = [rootOfAsset(kind, uri, digest), ...references];
      // BuildStream names its artifacts without qualifiers, and so finds nobody else's.
      const artifact = qualifiers.length === 0 ? artifactOfAsset(kind, uri, digest) : undefined;
      return { ...this.refName(name), message, roots, stored, expires, by, artifact };
    });
  }

  private refName(name: string): RefName {
    return { space: "asset", instance: this.options.instance, name };
  }
}

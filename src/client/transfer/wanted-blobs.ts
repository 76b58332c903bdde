import { type Digest, sameDigest } from "../../base/digest.ts";

/** Blobs that are asked for and have not come yet. One hash in two sizes is two blobs. */
export class WantedBlobs {
  private readonly digests: readonly Digest[];
  /** Where each stands in `digests`; the last where a hash is there more than once. */
  private readonly places = new Map<string, number>();
  private readonly came: Uint8Array;
  private count = 0;

  constructor(digests: readonly Digest[]) {
    this.digests = digests;
    this.came = new Uint8Array(digests.length);
    for (const [i, { hash }] of digests.entries()) this.places.set(hash, i);
  }

  /** Takes one out; false where it is not asked for, or has come already. */
  take(digest: Digest): boolean {
    const { digests, came } = this;
    let at = this.places.get(digest.hash);
    if (at === undefined) return false;
    // Two of one hash: one has a size that it cannot have.
    if (came[at] === 1 || !sameDigest(digests[at] as Digest, digest)) {
      at = digests.findIndex((each, i) => came[i] === 0 && sameDigest(each, digest));
      if (at < 0) return false;
    }
    came[at] = 1;
    this.count += 1;
    return true;
  }

  /** Those that have not come. */
  rest(): readonly Digest[] {
    if (this.count === 0) return this.digests;
    return this.count === this.digests.length ? [] : this.digests.filter((_, i) => this.came[i] === 0);
  }
}

import { StillageError } from "../../base/errors.ts";
import type { ThreadLine } from "../../base/thread-line.ts";
import type { Tenant, Tenants } from "../../cache/tenant.ts";
import { findHere, type Origin, type OriginAsset, type OriginQuery } from "../../origin/origin.ts";
import { digestOfPlain, functionOf, type PlainDigest, plainDigest } from "../../store/threads/plain.ts";
import type { OriginDesk } from "../stock.ts";

interface PlainQuery extends Omit<OriginQuery, "function" | "accepts" | "signal"> {
  readonly fn: number | undefined;
}

interface PlainAsset extends Omit<OriginAsset, "digest"> {
  readonly digest: PlainDigest;
}

/** What the thread of the store answers. */
export type OriginAsks = ReturnType<OriginCounter["answers"]>;

/** Answers the questions of one thread's DistantOrigin: downloads are joined and bounded in one place, whoever asks for them. */
export class OriginCounter {
  private readonly origin: Origin | undefined;
  private readonly tenants: Tenants;
  private readonly waiting = new Map<number, AbortController>();

  constructor(origin: Origin | undefined, tenants: Tenants) {
    this.origin = origin;
    this.tenants = tenants;
  }

  answers() {
    return {
      fetchFromOrigin: (number: number, instance: string, query: PlainQuery): Promise<PlainAsset | undefined> =>
        this.fetch(number, instance, query),
      leaveOrigin: (number: number): void => this.waiting.get(number)?.abort(nobodyWaits()),
    };
  }

  /** The thread has ended: nobody in it waits. */
  end(): void {
    for (const waiting of this.waiting.values()) waiting.abort(nobodyWaits());
  }

  private async fetch(number: number, instance: string, query: PlainQuery): Promise<PlainAsset | undefined> {
    const leaving = new AbortController();
    this.waiting.set(number, leaving);
    try {
      const { fn, ...rest } = query;
      const asked = { ...rest, function: fn === undefined ? undefined : functionOf(fn), signal: leaving.signal };
      const found = await this.origin?.fetch(this.tenants.find(instance), asked);
      return found && { ...found, digest: plainDigest(found.digest) };
    } finally {
      this.waiting.delete(number);
    }
  }
}

function nobodyWaits(): StillageError {
  return new StillageError("cancelled", "nobody waits for it any more");
}

/** What fetches from the web, in the thread of the store. */
export class DistantOrigin implements OriginDesk {
  private readonly line: ThreadLine<OriginAsks>;
  private last = 0;

  constructor(line: ThreadLine<OriginAsks>) {
    this.line = line;
  }

  find(tenant: Tenant, query: Parameters<OriginDesk["find"]>[1]): Promise<OriginAsset | undefined> {
    return findHere(tenant, query);
  }

  async fetch(tenant: Tenant, query: OriginQuery): Promise<OriginAsset | undefined> {
    const { function: fn, signal, kind, uris, qualifiers, oldest, timeoutMs, client, request } = query;
    signal.throwIfAborted();
    const number = ++this.last;
    const leave = (): void => this.line.tell("leaveOrigin", number);
    signal.addEventListener("abort", leave, { once: true });
    try {
      const plain = { kind, uris, qualifiers: qualifiers.map(({ name, value }) => ({ name, value })), oldest };
      const asked = { ...plain, timeoutMs, client, request, fn: fn?.value };
      const found = await this.line.ask("fetchFromOrigin", number, tenant.name, asked);
      return found && { ...found, digest: digestOfPlain(found.digest) };
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }
}

export const bounded = ["connections", "calls", "uploads"] as const;

export type Bounded = (typeof bounded)[number];

/** How much is going on: counted in one thread, or in several together. */
export interface AdmissionCounts {
  /** Of one kind, in all. */
  all(kind: Bounded): number;
  /** Of one client's. */
  client(kind: Bounded, client: string): number;
  /** What of it goes on in this thread. */
  here(kind: Bounded): number;
  add(kind: Bounded, client: string | undefined, more: 1 | -1): void;
}

/** The counts of a server with one thread. */
export class LocalCounts implements AdmissionCounts {
  private readonly total: Record<Bounded, number> = { connections: 0, calls: 0, uploads: 0 };
  private readonly clients: Readonly<Record<Bounded, Map<string, number>>> = {
    connections: new Map(),
    calls: new Map(),
    uploads: new Map(),
  };

  all(kind: Bounded): number {
    return this.total[kind];
  }

  client(kind: Bounded, client: string): number {
    return this.clients[kind].get(client) ?? 0;
  }

  here(kind: Bounded): number {
    return this.total[kind];
  }

  add(kind: Bounded, client: string | undefined, more: 1 | -1): void {
    this.total[kind] += more;
    if (client === undefined) return;
    const clients = this.clients[kind];
    const count = (clients.get(client) ?? 0) + more;
    if (count === 0) clients.delete(client);
    else clients.set(client, count);
  }
}

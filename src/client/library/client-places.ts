import type { StillageError } from "../../base/errors.ts";
import type { ClientConfiguration } from "../configuration/client-configuration.ts";
import type { LeftRemote, OpenedRemotes } from "../connection/open-remotes.ts";
import type { Reachability } from "../connection/reachability.ts";
import type { RemotePlace } from "../connection/remote-place.ts";
import type { LocalCache } from "../local/open-local-cache.ts";
import { localName } from "../named-place.ts";
import { type OpenPlaceOptions, openPlace } from "../open-place.ts";
import type { Place } from "../place.ts";
import { cacheAndRemotes, onePlace, type PlaceSearch } from "../reading/place-search.ts";
import type { RemoteSpec } from "../remote-spec.ts";
import type { PlaceName } from "./place-name.ts";

export interface ClientPlacesOptions {
  readonly configuration: ClientConfiguration;
  /** `undefined` where nothing is remembered. */
  readonly reachability: Reachability | undefined;
  /** Called for a server that is left out; once, until it can be used again. Also for one that has stopped answering. */
  readonly left: (remote: LeftRemote) => void;
  /** The same for a place that was named for one call. */
  readonly leftOut?: (name: string, error: StillageError) => void;
  /** Called for a server that is used and does not do all that is configured. */
  readonly limited?: (remote: RemotePlace) => void;
}

/** For those who want nothing remembered. */
const forgetful: Reachability = {
  blocked: () => undefined,
  failed: async () => {},
  reached: async () => {},
  clear: async () => {},
};

/**
 * The places of one client: the local cache and the configured servers, each opened once, when it is first wanted, and kept open. Disposing closes them, and ends what still runs on
 * them.
 */
export class ClientPlaces implements AsyncDisposable {
  readonly configuration: ClientConfiguration;
  readonly reachability: Reachability;
  private readonly options: Pick<ClientPlacesOptions, "left" | "leftOut" | "limited">;
  private readonly told = new Set<RemoteSpec>();
  private readonly life = new AbortController();
  private readonly opened = new AsyncDisposableStack();
  private readonly servers = new Map<RemoteSpec, Promise<OpenedRemotes>>();
  private readonly named = new Map<string, Promise<Place>>();
  private cache: Promise<LocalCache> | undefined;

  constructor(options: ClientPlacesOptions) {
    this.configuration = options.configuration;
    this.reachability = options.reachability ?? forgetful;
    this.options = options;
  }

  /** A caller's signal that also fires when the places are closed. */
  signal(own?: AbortSignal): AbortSignal {
    return own === undefined ? this.life.signal : AbortSignal.any([own, this.life.signal]);
  }

  leftOut(name: string, error: StillageError): void {
    this.options.leftOut?.(name, error);
  }

  local(): Promise<LocalCache> {
    this.cache ??= this.openCache();
    return this.cache;
  }

  /** Opens a place of its own, for the caller to close. `signal` is that of the opening, and of nothing that is done with the place. Errors: as of `openPlace`. */
  async open(
    text: string,
    options: Partial<Pick<OpenPlaceOptions, "mode" | "instance" | "signal">> = {},
  ): Promise<Place> {
    const { mode = "read", instance, signal } = options;
    const { configuration, reachability } = this;
    const opening = openPlace(text, configuration, { mode, instance, reachability, signal: this.life.signal });
    try {
      return await unlessAborted(opening, this.signal(signal));
    } catch (error) {
      // Nobody has it who would close it.
      opening.then((place) => place[Symbol.asyncDispose]()).catch(() => {});
      throw error;
    }
  }

  /** A place for reading that stays open. Errors: as of `openPlace`. */
  async toRead(name: PlaceName, instance?: string): Promise<Place> {
    if (typeof name !== "string") return name;
    if (name === localName && instance === undefined) return this.local();
    const key = JSON.stringify([name, instance]);
    const known = this.named.get(key);
    if (known !== undefined) return known;
    const opening = this.open(name, { instance }).then((place) => this.opened.use(place));
    this.named.set(key, opening);
    opening.catch(() => this.named.delete(key));
    return opening;
  }

  /**
   * Those servers that can be used, in their order. Without `each`, as for reading, some will do: who has several does not wait for one that refuses connections and may be back in a moment.
   * Errors: the signal's reason.
   */
  async remotes(specs: readonly RemoteSpec[], signal?: AbortSignal, each = false): Promise<readonly RemotePlace[]> {
    const patient = each || specs.length === 1;
    const opening = Promise.all(specs.map((spec) => this.server(spec, patient)));
    return (await unlessAborted(opening, this.signal(signal))).flatMap(({ open }) => open);
  }

  /** The local cache and then the servers, or one place alone. `signal` is that of all that is read through it. */
  async search(place: PlaceName | undefined, signal: AbortSignal, instance?: string): Promise<PlaceSearch> {
    if (place !== undefined) return onePlace(await unlessAborted(this.toRead(place, instance), signal), signal);
    const open = async (): Promise<OpenedRemotes> => ({
      open: await this.remotes(this.configuration.remotes, signal),
      left: [],
      [Symbol.asyncDispose]: async () => {},
    });
    return cacheAndRemotes(await this.local(), open, () => {}, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.life.abort();
    await Promise.allSettled([this.cache, ...this.servers.values(), ...this.named.values()]);
    await this.opened.disposeAsync();
  }

  private async openCache(): Promise<LocalCache> {
    const { openLocalCache } = await import("../local/open-local-cache.ts");
    const { cacheDirectory, artifactDirectory } = this.configuration;
    return this.opened.use(await openLocalCache(cacheDirectory, artifactDirectory));
  }

  /** One that cannot be used is asked again the next time, unless it is remembered that it did not answer. */
  private server(spec: RemoteSpec, patient: boolean): Promise<OpenedRemotes> {
    const known = this.servers.get(spec);
    if (known !== undefined) return known;
    const opening = this.openServer(spec, patient);
    this.servers.set(spec, opening);
    opening.then(
      ({ left }) => left.length > 0 && this.servers.delete(spec),
      () => this.servers.delete(spec),
    );
    return opening;
  }

  private async openServer(spec: RemoteSpec, patient: boolean): Promise<OpenedRemotes> {
    // Most of the time everything is in the cache, and what speaks with servers need not be loaded.
    const { openRemotes } = await import("../connection/open-remotes.ts");
    const { reachability, options, life } = this;
    const opened = await openRemotes([spec], { reachability, patient, gone: options.left, signal: life.signal });
    const [left] = opened.left;
    if (left === undefined) {
      this.opened.use(opened);
      this.told.delete(spec);
      for (const remote of opened.open) if (remote.shortcomings.length > 0) this.options.limited?.(remote);
    } else if (!this.told.has(spec)) {
      this.told.add(spec);
      this.options.left(left);
    }
    return opened;
  }
}

/** What others wait for as well is not stopped for one of them. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => {}); // whoever waits hears of it
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

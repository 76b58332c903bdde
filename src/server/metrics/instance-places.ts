/** Gives instances numbers, so that counts of theirs are in arrays; only those that the server has, as clients can name any. */
export class InstancePlaces {
  readonly names: readonly string[];
  private readonly places: ReadonlyMap<string, number>;
  /** Calls that follow one another are mostly about the same. */
  private lastName: string;
  private lastPlace: number;

  constructor(names: readonly string[]) {
    this.names = names;
    this.places = new Map(names.map((name, i) => [name, i]));
    this.lastName = names[0] ?? "";
    this.lastPlace = this.places.get(this.lastName) ?? this.unknown;
  }

  /** The place of what is about no instance, or one that there is not: behind the others. */
  get unknown(): number {
    return this.names.length;
  }

  of(name: string): number {
    if (name === this.lastName) return this.lastPlace;
    this.lastName = name;
    this.lastPlace = this.places.get(name) ?? this.unknown;
    return this.lastPlace;
  }

  /** What is shown for a place; "" for the unknown. */
  name(place: number): string {
    return this.names[place] ?? "";
  }
}

import { StillageError } from "./errors.ts";
import { ProtobufReader, tagOf, varintLength, wireBytes, wireVarint, writeVarint } from "./protobuf.ts";

/** How many fields a decoder may still meet, in the message and those within it. */
interface Budget {
  left: number;
}

/** A field of a message: how it is read where it lies, and written. Each is made by one of the functions below, from its number. */
interface Field<Value> {
  /** As it may stand on the wire. */
  readonly tags: readonly number[];
  readonly absent: () => Value;
  /** What it is after one more of it on the wire. */
  readonly read: (reader: ProtobufReader, tag: number, before: Value, budget: Budget) => Value;
  readonly write: (value: Value, out: Uint8Array[]) => void;
}

/**
 * A small message by those of its fields that anybody asks about: the others are stepped over. Programs that end soon are done with these before the descriptors of generated
 * code would be read. Messages of bulk have decoders of their own.
 */
export class MessageType<Shape extends object> {
  readonly name: string;
  private readonly fields: readonly (readonly [key: keyof Shape, field: Field<unknown>])[];
  private readonly byTag = new Map<number, readonly [key: keyof Shape, field: Field<unknown>]>();

  /** `name` with its package. */
  constructor(name: string, fields: { readonly [Key in keyof Shape]: Field<Shape[Key]> }) {
    this.name = name;
    this.fields = Object.entries(fields) as [keyof Shape, Field<unknown>][];
    for (const entry of this.fields) for (const tag of entry[1].tags) this.byTag.set(tag, entry);
  }

  /** Errors: `invalid` for bytes that are no such message, and for one of more than `maxFields`, those of messages in it among them. */
  decode(bytes: Uint8Array, maxFields: number = Number.POSITIVE_INFINITY): Shape {
    const budget = { left: maxFields };
    let read: Shape;
    try {
      read = this.read(new ProtobufReader(bytes), undefined, budget);
    } catch (cause) {
      throw new StillageError("invalid", `the bytes are no ${this.name}`, { cause });
    }
    if (budget.left >= 0) return read;
    throw new StillageError("invalid", `the message has more than ${maxFields} fields (${this.name})`);
  }

  /** What is left out is as if it were never set. */
  encode(values: Partial<Shape>): Uint8Array {
    const out: Uint8Array[] = [];
    for (const [key, field] of this.fields) {
      const value = values[key];
      if (value !== undefined) field.write(value, out);
    }
    return Buffer.concat(out);
  }

  /** @internal Of a message that comes in pieces, the later ones count, and are joined (encoding, "Last One Wins"). */
  read(reader: ProtobufReader, before: Shape | undefined, budget: Budget): Shape {
    const message = before ?? this.empty();
    for (let tag = reader.field(); tag !== 0 && --budget.left >= 0; tag = reader.field()) {
      const entry = this.byTag.get(tag);
      if (entry === undefined) continue;
      const [key, field] = entry;
      message[key] = field.read(reader, tag, message[key], budget) as Shape[keyof Shape];
    }
    return message;
  }

  private empty(): Shape {
    return Object.fromEntries(this.fields.map(([key, field]) => [key, field.absent()])) as Shape;
  }
}

/** What a message of a type says. */
export type MessageOf<Type> = Type extends MessageType<infer Shape> ? Shape : never;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function text(number: number): Field<string> {
  return {
    tags: [tagOf(number, wireBytes)],
    absent: () => "",
    read: (reader) => utf8.decode(reader.view()),
    write: (value, out) => value !== "" && pushBytes(out, number, Buffer.from(value)),
  };
}

/** Any whole number; those below 0 and beyond 2^53, which nothing here can be, are read as -1. */
export function int(number: number): Field<number> {
  return {
    tags: [tagOf(number, wireVarint)],
    absent: () => 0,
    read: (reader) => wholeNumber(reader),
    write: (value, out) => value !== 0 && pushVarint(out, number, value),
  };
}

export function flag(number: number): Field<boolean> {
  return {
    tags: [tagOf(number, wireVarint)],
    absent: () => false,
    read: (reader) => reader.value !== 0,
    write: (value, out) => value && pushVarint(out, number, 1),
  };
}

/** As they are, and as a view of the message: also what is not decoded further. */
export function bytes(number: number): Field<Uint8Array> {
  return {
    tags: [tagOf(number, wireBytes)],
    absent: () => new Uint8Array(0),
    read: (reader) => reader.view(),
    write: (value, out) => pushBytes(out, number, value),
  };
}

export function message<Shape extends object>(number: number, type: MessageType<Shape>): Field<Shape | undefined> {
  return {
    tags: [tagOf(number, wireBytes)],
    absent: () => undefined,
    read: (reader, _, before, budget) => type.read(within(reader), before, budget),
    write: (value, out) => value !== undefined && pushBytes(out, number, type.encode(value)),
  };
}

/** As many of them as there are. */
export function texts(number: number): Field<readonly string[]> {
  return {
    ...{ tags: [tagOf(number, wireBytes)], absent: () => [] },
    read: (reader, _, before) => added(before, utf8.decode(reader.view())),
    write: (values, out) => {
      for (const each of values) pushBytes(out, number, Buffer.from(each));
    },
  };
}

export function messages<Shape extends object>(number: number, type: MessageType<Shape>): Field<readonly Shape[]> {
  return {
    ...{ tags: [tagOf(number, wireBytes)], absent: () => [] },
    read: (reader, _, before, budget) => added(before, type.read(within(reader), undefined, budget)),
    write: (values, out) => {
      for (const each of values) pushBytes(out, number, type.encode(each));
    },
  };
}

/** Numbers of an enumeration: packed, or one by one. */
export function enums(number: number): Field<readonly number[]> {
  const packed = tagOf(number, wireBytes);
  return {
    ...{ tags: [packed, tagOf(number, wireVarint)], absent: () => [] },
    read(reader, tag, before, budget) {
      if (tag !== packed) return added(before, wholeNumber(reader));
      let values = before;
      const inner = within(reader);
      while (inner.pos < inner.limit && --budget.left >= 0) {
        inner.number();
        values = added(values, wholeNumber(inner));
      }
      return values;
    },
    write(values, out) {
      for (const each of values) pushVarint(out, number, each);
    },
  };
}

/** These lists are this decoder's own until it is done. */
function added<T>(list: readonly T[], value: T): readonly T[] {
  (list as T[]).push(value);
  return list;
}

const within = ({ bytes, start, end }: ProtobufReader): ProtobufReader => new ProtobufReader(bytes, start, end);

const wholeNumber = ({ value }: ProtobufReader): number => (Number.isSafeInteger(value) ? value : -1);

/** Errors: `invalid` for what is no whole number from 0 on, such as what was read as -1: it would take in what follows it. */
function pushVarint(out: Uint8Array[], number: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new StillageError("invalid", `${value} cannot be field ${number} of a message: it is no size or count`);
  }
  const tag = tagOf(number, wireVarint);
  const bytes = Buffer.allocUnsafe(varintLength(tag) + varintLength(value));
  writeVarint(bytes, writeVarint(bytes, 0, tag), value);
  out.push(bytes);
}

function pushBytes(out: Uint8Array[], number: number, value: Uint8Array): void {
  const tag = tagOf(number, wireBytes);
  const head = Buffer.allocUnsafe(varintLength(tag) + varintLength(value.length));
  writeVarint(head, writeVarint(head, 0, tag), value.length);
  out.push(head, value);
}

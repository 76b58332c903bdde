import type { Value, Variant } from "./value.ts";

/** Reads a value of a type as GLib prints it, as far as the vectors need it. */
export function valueOfText(type: string, text: string): Value {
  const reader = new TextReader(text);
  const value = reader.value(type);
  if (reader.text !== "") throw new Error(`${text} goes on: ${reader.text}`);
  return value;
}

/** Types of what a variant holds, by the word in front of it. */
const words: Readonly<Record<string, string>> = { byte: "y", uint32: "u", int64: "x", uint64: "t" };

class TextReader {
  text: string;

  constructor(text: string) {
    this.text = text;
  }

  value(type: string): Value {
    const first = type[0];
    if (first === "m") return this.takes("nothing") ? undefined : this.value(type.slice(1));
    if (first === "v") return this.variant();
    if (first === "(") return this.list("(", ")", membersOf(type));
    if (type.startsWith("a{")) return this.entries(membersOf(type.slice(1)));
    if (first === "{") return this.list("{", "}", membersOf(type));
    if (type === "ay") return Uint8Array.from(this.array("y") as number[]);
    if (first === "a") return this.array(type.slice(1));
    if (first === "b") return this.token(/^(true|false)/) === "true";
    if (first === "x" || first === "t") return BigInt(this.token(/^-?\w+/));
    if (first === "s" || first === "o" || first === "g") return this.token(/^'[^']*'/).slice(1, -1);
    return Number(this.token(/^-?[\w.]+/));
  }

  private variant(): Variant {
    this.token(/^</);
    const word = /^([a-z]+\d*) /.exec(this.text)?.[1];
    if (word !== undefined) this.takes(`${word} `);
    const type = word === undefined ? this.guess() : (words[word] ?? "");
    const value = this.value(type);
    this.token(/^>/);
    return { type, value };
  }

  private guess(): string {
    if (this.text.startsWith("<")) return "v";
    if (this.text.startsWith("[")) return "as";
    return this.text.startsWith("'") ? "s" : "b";
  }

  private array(element: string): Value[] {
    const values: Value[] = [];
    this.token(/^\[/);
    while (!this.takes("]")) {
      values.push(this.value(element));
      this.takes(", ");
    }
    return values;
  }

  private entries([key = "", of = ""]: string[]): Value[] {
    const values: Value[] = [];
    this.token(/^\{/);
    while (!this.takes("}")) {
      const name = this.value(key);
      this.token(/^: /);
      values.push([name, this.value(of)]);
      this.takes(", ");
    }
    return values;
  }

  private list(open: string, close: string, members: string[]): Value[] {
    this.takes(open);
    const values = members.map((member) => {
      const value = this.value(member);
      this.takes(", ") || this.takes(",");
      return value;
    });
    if (!this.takes(close)) throw new Error(`no ${close} at ${this.text}`);
    return values;
  }

  private takes(what: string): boolean {
    if (!this.text.startsWith(what)) return false;
    this.text = this.text.slice(what.length);
    return true;
  }

  private token(pattern: RegExp): string {
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw new Error(`no ${pattern} at ${this.text}`);
    this.text = this.text.slice(found.length);
    return found;
  }
}

/** The types in `(…)` or `{…}`. */
function membersOf(type: string): string[] {
  const members: string[] = [];
  for (let at = 1; at < type.length - 1; ) {
    let end = at;
    while (type[end] === "a" || type[end] === "m") end++;
    let open = 0;
    do {
      if ("({".includes(type[end] ?? "")) open++;
      if (")}".includes(type[end] ?? "")) open--;
      end++;
    } while (open > 0);
    members.push(type.slice(at, end));
    at = end;
  }
  return members;
}

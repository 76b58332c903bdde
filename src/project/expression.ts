import { type Token, tokensOf } from "./expression-tokens.ts";

/** What an option is, and what a condition comes to on the way. */
export type Value = string | number | boolean | undefined | readonly Value[];

/** A condition that has no value; the message says why. */
export class ExpressionError extends Error {}

/** Conditions are lines; what is much longer is not one. */
const maxLength = 10_000;
const maxDepth = 100;

/**
 * Whether a condition of `(?)` holds: what BuildStream projects use of Jinja's expressions, which is names of options, texts, numbers, lists, comparisons, `in`, `and`, `or`
 * and `not`. Throws ExpressionError for what is wrong, names nothing, or goes beyond that.
 */
export function conditionHolds(expression: string, options: ReadonlyMap<string, Value>): boolean {
  if (expression.length > maxLength) throw new ExpressionError("it is too long");
  const tokens = tokensOf(expression);
  if (typeof tokens === "number") {
    throw new ExpressionError(`${JSON.stringify(expression.slice(tokens, tokens + 10))} is not understood here`);
  }
  const parser = new Parser(tokens, options);
  const value = parser.disjunction();
  parser.end();
  return truth(value());
}

/** Parsed first, so that what is wrong is found wherever it stands, and computed only as far as `and` and `or` need it. */
type Compute = () => Value;

class Parser {
  readonly #tokens: readonly Token[];
  readonly #options: ReadonlyMap<string, Value>;
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], options: ReadonlyMap<string, Value>) {
    this.#tokens = tokens;
    this.#options = options;
  }

  end(): void {
    const left = this.#tokens[this.#at];
    if (left !== undefined) throw new ExpressionError(`${JSON.stringify(left.text)} is not understood here`);
  }

  disjunction(): Compute {
    if (++this.#depth > maxDepth) throw new ExpressionError("it is nested too deeply");
    let left = this.#conjunction();
    while (this.#take("or")) {
      const [first, second] = [left, this.#conjunction()];
      left = () => {
        const value = first();
        return truth(value) ? value : second();
      };
    }
    this.#depth--;
    return left;
  }

  #conjunction(): Compute {
    let left = this.#negation();
    while (this.#take("and")) {
      const [first, second] = [left, this.#negation()];
      left = () => {
        const value = first();
        return truth(value) ? second() : value;
      };
    }
    return left;
  }

  #negation(): Compute {
    let odd = false;
    let found = false;
    for (; this.#take("not"); odd = !odd) found = true;
    const value = this.#comparison();
    return found ? () => truth(value()) !== odd : value;
  }

  /** `a < b < c` means both. */
  #comparison(): Compute {
    const first = this.#primary();
    const rest: { readonly operator: string; readonly value: Compute }[] = [];
    for (let operator = this.#operator(); operator !== undefined; operator = this.#operator()) {
      rest.push({ operator, value: this.#primary() });
    }
    if (rest.length === 0) return first;
    return () => {
      let left = first();
      for (const { operator, value } of rest) {
        const right = value();
        if (!compare(operator, left, right)) return false;
        left = right;
      }
      return true;
    };
  }

  #operator(): string | undefined {
    for (const sign of ["==", "!=", "<=", ">=", "<", ">", "in"]) if (this.#take(sign)) return sign;
    const next = this.#tokens[this.#at + 1];
    if (next?.kind !== "word" || next.text !== "in" || !this.#take("not")) return undefined;
    this.#take("in");
    return "not in";
  }

  #primary(): Compute {
    if (this.#take("(")) return this.#list(")");
    if (this.#take("[")) return this.#list("]");
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new ExpressionError("it ends too early");
    if (token.kind === "text") return () => token.text;
    if (token.kind === "number") return () => Number(token.text);
    if (token.kind === "sign" || operators.has(token.text)) {
      throw new ExpressionError(`${JSON.stringify(token.text)} is not understood here`);
    }
    const constant = constants.get(token.text);
    if (constant !== undefined) return constant;
    return () => {
      if (this.#options.has(token.text)) return this.#options.get(token.text);
      throw new ExpressionError(`there is no option ${token.text}`);
    };
  }

  /** In round brackets it is a tuple, and one value without a comma is just that value. */
  #list(close: string): Compute {
    const items: Compute[] = [];
    let comma = false;
    while (!this.#take(close)) {
      if (items.length > 0 && !comma) throw new ExpressionError(`${JSON.stringify(close)} is missing`);
      items.push(this.disjunction());
      comma = this.#take(",");
    }
    const [only] = items;
    if (close === ")" && items.length === 1 && !comma && only !== undefined) return only;
    const values = (): Value[] => items.map((item) => item());
    return close === "]" ? values : () => Tuple.from(values());
  }

  #take(text: string): boolean {
    const token = this.#tokens[this.#at];
    if (token === undefined || token.text !== text || (token.kind !== "word" && token.kind !== "sign")) return false;
    this.#at++;
    return true;
  }
}

/** A list in round brackets, which no list in square ones equals. */
class Tuple extends Array<Value> {}

const operators: ReadonlySet<string> = new Set(["and", "or", "not", "in", "is", "if", "else"]);

const constants: ReadonlyMap<string, Compute> = new Map([
  ...["true", "True"].map((word): [string, Compute] => [word, () => true]),
  ...["false", "False"].map((word): [string, Compute] => [word, () => false]),
  ...["none", "None"].map((word): [string, Compute] => [word, () => undefined]),
]);

function truth(value: Value): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

function compare(operator: string, left: Value, right: Value): boolean {
  if (operator === "==") return same(left, right);
  if (operator === "!=") return !same(left, right);
  if (operator === "in") return contains(right, left);
  if (operator === "not in") return !contains(right, left);
  const order = orderOf(left, right);
  if (operator === "<") return order < 0;
  if (operator === "<=") return order <= 0;
  return operator === ">" ? order > 0 : order >= 0;
}

/** As in Python, where `True` is 1. */
function same(left: Value, right: Value): boolean {
  if (Array.isArray(left) && Array.isArray(right)) {
    if (left instanceof Tuple !== right instanceof Tuple) return false;
    return left.length === right.length && left.every((item, i) => same(item, right[i]));
  }
  return plain(left) === plain(right);
}

function plain(value: Value): Value {
  return typeof value === "boolean" ? Number(value) : value;
}

function contains(container: Value, item: Value): boolean {
  if (Array.isArray(container)) return container.some((each) => same(each, item));
  if (typeof container === "string" && typeof item === "string") return container.includes(item);
  throw new ExpressionError("`in` needs a list, or two texts");
}

function orderOf(left: Value, right: Value): number {
  const [a, b] = [plain(left), plain(right)];
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : Number(a > b);
  throw new ExpressionError("values of different kinds have no order");
}

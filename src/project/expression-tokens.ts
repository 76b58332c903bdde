/** A piece of a condition. Words are names and operators such as `and`. */
export interface Token {
  readonly kind: "word" | "text" | "number" | "sign";
  readonly text: string;
}

const pattern =
  /\s+|(?<word>[A-Za-z_]\w*)|(?<number>\d+(?:\.\d+)?)|(?<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<sign>==|!=|<=|>=|[<>()[\],])/y;

/** The pieces of a condition; the place of the first character that none begins with. */
export function tokensOf(expression: string): readonly Token[] | number {
  const tokens: Token[] = [];
  pattern.lastIndex = 0;
  while (pattern.lastIndex < expression.length) {
    const start = pattern.lastIndex;
    const groups = pattern.exec(expression)?.groups;
    if (groups === undefined) return start;
    const { word, number, text, sign } = groups;
    if (word !== undefined) tokens.push({ kind: "word", text: word });
    else if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (text !== undefined) tokens.push({ kind: "text", text: text.slice(1, -1).replaceAll(/\\(.)/g, "$1") });
    else if (sign !== undefined) tokens.push({ kind: "sign", text: sign });
  }
  return tokens;
}

import { printable } from "./human-text.ts";

/** Text of somebody else that goes to a terminal, a piece at a time. */
export interface TerminalText {
  add(piece: Uint8Array): string;
  /** What is left at the end. */
  end(): string;
}

/** A sequence that sets colours and the like, and one that may go on in the next piece. Nothing else that begins with ESC is harmless. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const colour = /\u001b\[[0-9;]{0,20}m/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
const beginning = /\u001b(?:\[[0-9;]{0,20})?$/;

/** Lines, tabs, and colours stay; whatever else acts on a terminal stands as `\xNN`. A carriage return before the end of a line goes. */
export function terminalText(): TerminalText {
  const decoder = new TextDecoder();
  let rest = "";
  const shown = (text: string): string =>
    text
      .split(new RegExp(`(${colour.source}|\\r?\\n|\\t)`))
      .map((part, i) => (i % 2 === 1 ? part.replace("\r", "") : printable(part).replaceAll("\\\\", "\\")))
      .join("");
  return {
    add(piece) {
      const text = rest + decoder.decode(piece, { stream: true });
      rest = /\r$/.exec(text)?.[0] ?? beginning.exec(text)?.[0] ?? "";
      return shown(text.slice(0, text.length - rest.length));
    },
    end: () => shown(rest + decoder.decode()),
  };
}

/** Text as troff shows it as it is. */
export function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/^([.'])/gm, "\\&$1");
}

/** An entry of a list: what is bold, and what is said of it. */
export function entry(term: string, says: string): string {
  return `.TP\n.B ${escaped(term)}\n${escaped(says)}\n`;
}

/** Lines that stay as they are. */
export function literal(text: string): string {
  return `.nf\n${escaped(text)}\n.fi\n`;
}

/** What a page is made of beside its sections. */
export interface PageHead {
  readonly name: string;
  readonly section: number;
  readonly says: string;
  readonly version: string;
  /** `YYYY-MM-DD`. */
  readonly day: string;
}

/** A manual page of titled sections; empty ones are left out. */
export function page(head: PageHead, sections: readonly (readonly [title: string, body: string])[]): string {
  const { name, section, says, version, day } = head;
  const title = escaped(name);
  const top = `.TH "${title.toUpperCase()}" "${section}" "${day}" "Stillage ${version}" "Stillage"\n`;
  const all: (readonly [string, string])[] = [["NAME", `${title} \\- ${escaped(says)}\n`], ...sections];
  return top + all.flatMap(([each, body]) => (body === "" ? [] : [`.SH ${each}\n${body}`])).join("");
}

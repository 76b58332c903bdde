export interface Block {
  /** What stands after the opening fence: `sh`, `yaml`, or nothing. */
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of a Markdown text. */
export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, language = "", text = ""]) => ({
    language,
    text,
  }));
}

/** Where the links of a Markdown text lead that stay within the project, without fragments. */
export function relativeLinks(markdown: string): string[] {
  const targets = [...prose(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) =>
    target.replace(/#.*$/, ""),
  );
  return targets.filter((target) => target !== "" && !/^[a-z]+:/.test(target));
}

/** The inline code of a Markdown text. */
export function codeSpans(markdown: string): string[] {
  return [...prose(markdown).matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
}

function prose(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```$/gm, "");
}

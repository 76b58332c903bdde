import { Document, isMap, isPair, isScalar } from "yaml";
import type { Loaded } from "./load.ts";
import { type Setting, settingKeys, settings } from "./settings.ts";

/** One setting as it is now. */
export interface Explained {
  /** As a file would say it. */
  readonly value: unknown;
  readonly origin: string;
}

/** Every setting by its name, with who set it. */
export function explain({ config, origins }: Loaded): Record<string, Explained> {
  return Object.fromEntries(
    settingKeys.map((key) => {
      const setting = settings[key] as Setting<unknown>;
      return [setting.name, { value: setting.show(config[key]), origin: origins[key] }];
    }),
  );
}

/** The same as a file that would set all of it, the origins in comments. */
export function explainAsYaml(loaded: Loaded): string {
  const all = Object.entries(explain(loaded));
  const document = new Document(Object.fromEntries(all.map(([name, { value }]) => [name, value])));
  if (!isMap(document.contents)) return "";
  for (const [i, pair] of document.contents.items.entries()) {
    const origin = ` ${all[i]?.[1].origin}`;
    if (!isPair(pair)) continue;
    if (isScalar(pair.value)) pair.value.comment = origin;
    else if (isScalar(pair.key)) pair.key.commentBefore = origin;
  }
  return document.toString({ lineWidth: 0 });
}

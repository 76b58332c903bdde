import { checkPatterns } from "../artifact/element-name.ts";
import { StillageError } from "../base/errors.ts";

/** What somebody wrote to name artifacts. */
export type ArtifactText =
  /** The key may be short, and is empty for any. All may have wildcards. */
  | { readonly kind: "artifact"; readonly project: string; readonly element: string; readonly key: string }
  | { readonly kind: "element file"; readonly element: string };

/**
 * Reads a name. What ends in `.bst` is an element's file where there is a project at hand. The last of three or more parts is a key if it can be one: digits of it, or
 * wildcards; else the element's file lies in directories. Errors: `invalid`.
 */
export function readArtifactText(text: string, hasProject: boolean): ArtifactText {
  if (hasProject && text.endsWith(".bst") && !/[*?]/.test(text)) return { kind: "element file", element: text };
  const [project = "", ...rest] = text.split("/");
  const last = rest.at(-1) ?? "";
  const key = rest.length > 1 && /^[0-9a-f*?]*$/.test(last) ? last : undefined;
  const element = (key === undefined ? rest : rest.slice(0, -1)).join("/");
  if (project === "" || element === "" || key === "") throw notAName(text, hasProject);
  checkPatterns({ project, element, key, text: undefined });
  return { kind: "artifact", project, element, key: key ?? "" };
}

function notAName(text: string, hasProject: boolean): StillageError {
  const file = text.endsWith(".bst") && !hasProject;
  return new StillageError("invalid", `${JSON.stringify(text)} is not PROJECT/ELEMENT/KEY`, {
    hint: file
      ? "an element's file is a name where a project is: go to its directory, or name that with --directory"
      : "`stillage artifact list` shows what there is",
  });
}

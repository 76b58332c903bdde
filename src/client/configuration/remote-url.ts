import { StillageError } from "../../base/errors.ts";
import { didYouMean } from "../../config/nearest.ts";
import { parseServerUrl } from "../../rpc/client/server-url.ts";
import { parseSshUrl } from "../../ssh/push-destination.ts";
import { shownUrl } from "../shown-url.ts";

const serverSchemes = ["http", "https", "grpc", "grpcs", "unix"];
const schemes = [...serverSchemes, "ssh", "file"];

/** Why no remote can be at a URL; `undefined` for one that may be there. What has no scheme is a path where it looks like one, and nowhere else: hosts are written so as well. */
export function urlTrouble(url: string): string | undefined {
  const text = url.trim();
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1];
  if (scheme === undefined) return isPath(text) ? undefined : withoutScheme(text);
  const known = scheme.toLowerCase();
  if (!schemes.includes(known)) return `url: there is no scheme ${scheme}:${meantBy(text, known)}`;
  const shown = JSON.stringify(shownUrl(text).slice(0, 200));
  try {
    if (known === "ssh") parseSshUrl(text);
    else if (serverSchemes.includes(known)) parseServerUrl(text);
    return undefined;
  } catch (error) {
    const hint = error instanceof StillageError ? error.hint : hints[known];
    return `url: ${shown} is no URL of a remote; such are ${hint ?? "http(s)://HOST[:PORT] and grpc(s)://HOST[:PORT]"}`;
  }
}

const hints: Readonly<Record<string, string>> = { unix: "unix:PATH" };

/** Whether it begins as paths do that nobody takes for anything else. */
const isPath = (text: string): boolean => /^\.{0,2}\/|^\.{1,2}$/.test(text);

function withoutScheme(text: string): string {
  // There may be a password before the host.
  const shown = text.replace(/^[^/]*@/, "").slice(0, 200);
  const isHost = /^(\[[\da-f:.]+\]|[\w-]+(\.[\w-]+)+|[\w.-]+(?=:))(:\d+)?(\/|$)/i.test(shown);
  const meant = isHost ? `; did you mean https://${shown}?` : ";";
  return `url: ${JSON.stringify(shown)} has no scheme${meant} a path begins with /, ./ or ../`;
}

/** `HOST:PORT` looks like a URL of which the scheme is the host. */
function meantBy(text: string, scheme: string): string {
  if (/^[^/]+:\d+(\/|$)/.test(text)) return `; did you mean https://${text.slice(0, 200)}?`;
  return didYouMean(scheme, schemes) || ` (${schemes.join(", ")})`;
}

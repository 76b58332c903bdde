import { resolve } from "node:path";
import { didYouMean } from "../../config/nearest.ts";
import type { Problem } from "../../config/problem.ts";
import { type Environment, expandHome } from "../../project/paths.ts";
import { type RemoteAuth, type RemoteSpec, type RemoteType, remoteTypes } from "../remote-spec.ts";
import { shownUrl } from "../shown-url.ts";
import type { Purpose } from "./client-configuration.ts";
import { noAuth, noConnection } from "./remote-entry.ts";
import { urlTrouble } from "./remote-url.ts";

/** What remotes of the command line are read with. */
export interface TextContext {
  readonly purpose: Purpose;
  /** Those that can be named. */
  readonly named: readonly RemoteSpec[];
  readonly workingDirectory: string;
  readonly environment: Environment;
}

/** As messages call it. */
export const remoteFlag = "--remote";

const fileKeys = {
  "server-cert": "serverCert",
  "client-key": "clientKey",
  "client-cert": "clientCert",
  "access-token": "accessToken",
} as const satisfies Readonly<Record<string, keyof RemoteAuth>>;

const keys = ["url", "instance-name", "type", "push", ...Object.keys(fileKeys)];

/**
 * A remote as the command line names it: by its name in Stillage's own file, by its URL, or in BuildStream's way as `url=URL,push=false,…`. Unless it is wanted for
 * pulling only, it is pushed to where it does not say otherwise.
 */
export function parseRemoteText(text: string, context: TextContext): RemoteSpec | readonly Problem[] {
  const { purpose, named } = context;
  const known = named.find(({ name }) => name === text);
  if (known !== undefined) return { ...known, ...(purpose !== "all" && { push: purpose === "push" }), byHand: true };
  if (/^(?:[a-z][a-z0-9+.-]*:\/\/|unix:|\.{0,2}\/)/i.test(text) && !text.includes(",")) {
    const trouble = urlTrouble(text);
    return trouble === undefined
      ? remoteOf(text, { push: purpose !== "pull" })
      : [{ origin: remoteFlag, message: trouble }];
  }
  if (text.includes("=")) return parseSpec(text, context);
  const names = named.map(({ name }) => name);
  const hint = didYouMean(text, names) || "; a remote is a URL such as https://cache.example.com, or the name of one";
  return [{ origin: remoteFlag, message: `there is no remote ${JSON.stringify(text)}${hint}` }];
}

function parseSpec(
  text: string,
  { purpose, workingDirectory, environment }: TextContext,
): RemoteSpec | readonly Problem[] {
  const problems: Problem[] = [];
  const problem = (message: string): void => void problems.push({ origin: remoteFlag, message });
  let url = "";
  let push = purpose !== "pull";
  let type: RemoteType = "all";
  let instanceName = "";
  const auth: { -readonly [K in keyof RemoteAuth]: RemoteAuth[K] } = { ...noAuth };
  for (const part of text.split(",")) {
    const [key = "", value, ...rest] = part.split("=");
    if (value === undefined || value === "" || rest.length > 0) problem(`${JSON.stringify(part)} is not KEY=VALUE`);
    else if (key === "url") url = value;
    else if (key === "instance-name") instanceName = value;
    else if (key === "type") {
      const found = remoteTypes.find((each) => each === value);
      if (found !== undefined) type = found;
      else
        problem(`type: ${JSON.stringify(value)} is none of ${remoteTypes.join(", ")}${didYouMean(value, remoteTypes)}`);
    } else if (key === "push") {
      if (purpose !== "all") problem(`push: it is ${push} here, and nothing else`);
      else if (["true", "True", "false", "False"].includes(value)) push = value.toLowerCase() === "true";
      else problem(`push: ${JSON.stringify(value)} is neither true nor false`);
    } else if (key in fileKeys) {
      auth[fileKeys[key as keyof typeof fileKeys]] = resolve(workingDirectory, expandHome(value, environment));
    } else problem(`${key}: there is no such key here${didYouMean(key, keys)}`);
  }
  const trouble = url === "" ? "url: a remote needs its URL" : urlTrouble(url);
  if (trouble !== undefined) problem(trouble);
  if ((auth.clientKey === undefined) !== (auth.clientCert === undefined))
    problem("client-key and client-cert go together");
  return problems.length > 0 ? problems : remoteOf(url, { push, type, instanceName, auth });
}

function remoteOf(url: string, more: Partial<RemoteSpec>): RemoteSpec {
  const plain = {
    name: shownUrl(url),
    url,
    type: "all",
    push: false,
    instanceName: "",
    auth: noAuth,
    connection: noConnection,
  } as const;
  return { ...plain, ...more, origin: remoteFlag, byHand: true };
}

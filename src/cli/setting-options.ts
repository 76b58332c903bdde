import { type Command, Option } from "commander";
import { readAccessFile } from "../config/access.ts";
import type { Config } from "../config/config.ts";
import { type FlagValue, isProblems, type Loaded, type Read, readConfig, systemFile } from "../config/load.ts";
import { didYouMean } from "../config/nearest.ts";
import { type Problem, showProblem } from "../config/problem.ts";
import { type Setting, settingKeys, settings, showFallback } from "../config/settings.ts";
import { addUse } from "./command-use.ts";
import { configText } from "./store-of.ts";

type Flags = { -readonly [K in keyof Config]?: FlagValue };

/** The argument that is a setting. */
const dirName = "DIR";

const help = `SPEC: HOST:PORT, [IPV6]:PORT, unix:PATH or systemd:NAME; or address=SPEC and any of push=false, cert=FILE, key=FILE, client-certs=FILE, client-auth=optional, divided by commas.
SIZE: bytes, or a number with K, M, G, T (powers of 1000) or KiB, MiB, GiB, TiB.  TIME: a number with ms, s, m, h or d.
PERCENT: a number with %.  RULE: any of instance=NAME, space=action|asset|reference, size=SIZE and age=TIME, divided by commas; none for no rule.
HOST: NAME, *.DOMAIN, ADDRESS or * (all), with :PORT or without, or ADDRESS/BITS; none for no host.`;

/**
 * Gives a command the flags of all settings, or of some, and `--config`. Where the directory is among them, everything that is wrong on the
 * command line is found by `loadSettings`; else arguments are the command's own.
 */
export function addSettings(command: Command, keys: readonly (keyof Config)[] = settingKeys): Command {
  if (keys.includes("store")) command.allowUnknownOption().allowExcessArguments();
  command.option("--config <FILE>", configText);
  for (const key of keys) {
    const setting = settings[key] as Setting<unknown>;
    const option = optionOf(setting);
    if (option === undefined) command.argument(`[${dirName}]`, describe(setting));
    else command.addOption(option);
  }
  return keys.includes("listeners") ? addUse(command, { notes: [help], see: "docs/CONFIGURATION.md" }) : command;
}

/** What the command line and everything else sets; problems are printed, and then there is nothing. */
export function loadSettings(command: Command): Loaded | undefined {
  return load(command, () => []);
}

/** The same for whoever works with them: what is wrong within the access file is a problem, too. */
export function loadSettingsAndAccess(command: Command): Loaded | undefined {
  return load(command, accessProblems);
}

function load(command: Command, more: (read: Read) => readonly Problem[]): Loaded | undefined {
  const read = readSettings(command);
  const problems = [...read.problems, ...more(read)];
  for (const problem of problems) process.stderr.write(`stillage: ${showProblem(problem)}\n`);
  const { config, origins, file } = read;
  return problems.length > 0 ? undefined : { config: config as Config, origins: origins as Loaded["origins"], file };
}

/** What the command line and everything else says, with what is wrong of it, for whoever looks further whatever that is. */
export function readSettings(command: Command): Read {
  const { flags, problems } = readCommandLine(command);
  const file: string | undefined = command.getOptionValue("config");
  const read = readConfig({ flags, file, environment: process.env, folder: process.cwd(), systemFile });
  return { ...read, problems: [...problems, ...read.problems] };
}

/** What is wrong within the access file. */
export function accessProblems({ config: { access }, origins }: Read): readonly Problem[] {
  const read = access === undefined ? [] : readAccessFile(access, origins.access ?? "");
  return isProblems(read) ? read : [];
}

function readCommandLine(command: Command): { flags: Flags; problems: Problem[] } {
  const flags: Flags = {};
  for (const key of settingKeys) {
    const option = optionOf(settings[key] as Setting<unknown>);
    const value: unknown = option && command.getOptionValue(option.attributeName());
    if (value !== undefined) flags[key] = { origin: option?.long ?? "", texts: Array.isArray(value) ? value : [value] };
  }
  const store: unknown = command.getOptionValue("store");
  if (typeof store === "string") flags.store = { origin: "--store", texts: [store] };
  if (!command.registeredArguments.some((each) => each.name() === dirName)) return { flags, problems: [] };
  const known = command.options.map(({ long }) => long ?? "");
  const unknown = command.args.filter((each) => each.startsWith("-"));
  // What follows an unknown flag may be its value, so that nothing can be said about the arguments then.
  const [dir, ...more] = unknown.length > 0 ? [] : command.args;
  if (dir !== undefined) flags.store = { origin: "DIR", texts: [dir] };
  const problems = [
    ...unknown.map((flag) => ({ origin: flag, message: `there is no such flag${didYouMean(flag, known)}` })),
    ...more.map((word) => ({ origin: word, message: "one DIR is all that goes here" })),
  ];
  return { flags, problems };
}

/** The flag of a setting; `undefined` for the one that is the argument. */
function optionOf(setting: Setting<unknown>): Option | undefined {
  if (setting.flag === undefined) return undefined;
  const option = new Option(setting.flag, describe(setting));
  if (setting.list) option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]);
  return option;
}

function describe(setting: Setting<unknown>): string {
  const { sentence, variable, list } = setting;
  return `${sentence}${list ? " Can be repeated." : ""} (default: ${showFallback(setting)}; ${variable})`;
}

import type { Argument, Command, Option } from "commander";
import { type CommandUse, useOf } from "./command-use.ts";

export interface ArgumentShape {
  readonly name: string;
  readonly says: string;
  readonly required: boolean;
  readonly variadic: boolean;
  readonly choices: readonly string[];
}

export interface OptionShape {
  /** With its dashes, as all options have one: `--json`. */
  readonly long: string;
  readonly short: string | undefined;
  /** What stands for its value: `FILE`; `undefined` where it has none. */
  readonly value: string | undefined;
  readonly says: string;
  readonly choices: readonly string[];
}

/** A command as what it is defined by: help, manual pages and completions show the same. */
export interface CommandShape {
  /** The words that lead to it, the program's name first. */
  readonly path: readonly string[];
  readonly says: string;
  readonly arguments: readonly ArgumentShape[];
  readonly options: readonly OptionShape[];
  readonly subcommands: readonly CommandShape[];
  readonly use: CommandUse;
}

/** The shape of a command and of all below it. */
export function shapeOf(command: Command, path: readonly string[] = [command.name()]): CommandShape {
  const help = command.createHelp();
  return {
    path,
    says: command.description(),
    arguments: command.registeredArguments.map((each) => argumentShape(each, help.argumentDescription(each))),
    options: help.visibleOptions(command).map((each) => optionShape(each, help.optionDescription(each))),
    subcommands: command.commands.map((each) => shapeOf(each, [...path, each.name()])),
    use: useOf(command),
  };
}

/** A command and all below it, the outer ones first. */
export function* allShapes(shape: CommandShape): Generator<CommandShape> {
  yield shape;
  for (const each of shape.subcommands) yield* allShapes(each);
}

function argumentShape(argument: Argument, says: string): ArgumentShape {
  const { required, variadic, argChoices = [] } = argument;
  return { name: argument.name(), says, required, variadic, choices: argChoices };
}

function optionShape(option: Option, says: string): OptionShape {
  const value = /[<[](.+?)(?:\.\.\.)?[>\]]/.exec(option.flags)?.[1];
  return { long: option.long ?? "", short: option.short ?? undefined, value, says, choices: option.argChoices ?? [] };
}

import { type ArgumentShape, allShapes, type CommandShape, type OptionShape } from "../command-shape.ts";
import { isFile, quoted, shortly } from "./completed.ts";

/** What completes the commands, flags and values of a program in zsh: a file of its `fpath`, called `_NAME`. */
export function zshCompletion(program: CommandShape): string {
  const name = program.path.join(" ");
  const functions = [...allShapes(program)].map(functionOf);
  return `#compdef ${name}
${functions.join("")}
if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function functionOf(command: CommandShape): string {
  const specs = command.options.map(optionSpec);
  const head = `${functionName(command)}() {\n`;
  if (command.subcommands.length === 0) {
    return `${head}  _arguments -s -S ${[...specs, ...command.arguments.map(argumentSpec)].join(" \\\n    ")}\n}\n`;
  }
  const described = command.subcommands.map(({ path, says }) =>
    quoted(`${colons(path.at(-1) ?? "")}:${shortly(says)}`),
  );
  const cases = command.subcommands.map((each) => `      ${each.path.at(-1)}) ${functionName(each)} ;;`);
  return `${head}  local context state state_descr line
  typeset -A opt_args
  _arguments -C ${[...specs, "'1: :->command'", "'*:: :->rest'"].join(" \\\n    ")}
  case $state in
    command) local -a commands=(${described.join(" ")}); _describe command commands ;;
    rest) case $words[1] in
${cases.join("\n")}
    esac ;;
  esac
}
`;
}

function functionName({ path }: CommandShape): string {
  return `_${path.join("_").replaceAll("-", "_")}`;
}

/** \`(-s --long)\`{-s,--long}\`[says]:VALUE:action\`. A flag may come again: some may be repeated. */
function optionSpec({ long, short, value, says, choices }: OptionShape): string {
  const rest = `[${brackets(shortly(says))}]${value === undefined ? "" : `:${colons(value)}:${action(value, choices)}`}`;
  return short === undefined ? quoted(`*${long}${rest}`) : `'*'{${short},${long}}${quoted(rest)}`;
}

function argumentSpec({ name, required, variadic, choices }: ArgumentShape): string {
  return quoted(`${variadic ? "*" : ""}${required || variadic ? ":" : "::"}${colons(name)}:${action(name, choices)}`);
}

function action(name: string, choices: readonly string[]): string {
  if (choices.length > 0) return `(${choices.join(" ")})`;
  return isFile(name) ? "_files" : "";
}

function colons(text: string): string {
  return text.replaceAll(":", "\\:");
}

function brackets(text: string): string {
  return colons(text).replaceAll(/[[\]]/g, "\\$&");
}

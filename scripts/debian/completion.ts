import type { CommandHelp } from "./commands.ts";

/** What completes the commands, flags and files of `stillage` in bash. */
export function completionOf(commands: readonly CommandHelp[]): string {
  const cases = commands.map(({ path, subcommands, flags }) => {
    const words = [...subcommands, ...flags].join(" ");
    return `      ${JSON.stringify(["stillage", ...path].join(" "))}) words=${JSON.stringify(words)} ;;`;
  });
  return `# bash completion for stillage(1)
_stillage() {
  local command=stillage word words i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == -* ]] && break
    command+=" $word"
  done
  # Arguments come after the commands: the longest beginning that is a command counts.
  while :; do
    words=
    case $command in
${cases.join("\n")}
    esac
    [[ -n $words || $command != *" "* ]] && break
    command=\${command% *}
  done
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _stillage stillage
`;
}

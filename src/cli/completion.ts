import { Argument, type Command } from "commander";
import { shapeOf } from "./command-shape.ts";
import { addUse } from "./command-use.ts";
import { bashCompletion } from "./completion/bash.ts";
import { fishCompletion } from "./completion/fish.ts";
import { zshCompletion } from "./completion/zsh.ts";
import { exitStatus } from "./exit-status.ts";
import { newCommand } from "./new-command.ts";

export const completions = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;
type Shell = keyof typeof completions;

/** `stillage completion SHELL`. */
export function completionCommand(end: (status: number) => void): Command {
  const command = newCommand("completion", "stillage")
    .description("Print what completes commands, flags and values in a shell")
    .addArgument(new Argument("<SHELL>", "The shell").choices(Object.keys(completions)));
  addUse(command, {
    examples: [
      { says: "In this bash, or in its ~/.bashrc", run: 'eval "$(stillage completion bash)"' },
      { says: "In this zsh, or behind compinit in its ~/.zshrc", run: 'eval "$(stillage completion zsh)"' },
      { says: "In every fish", run: "stillage completion fish > ~/.config/fish/completions/stillage.fish" },
    ],
    statuses: { usage: "wrong usage" },
  });
  return command.action((shell: Shell) => {
    process.stdout.write(completions[shell](shapeOf(command.parent ?? command)));
    end(exitStatus.done);
  });
}

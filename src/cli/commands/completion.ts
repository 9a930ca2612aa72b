/**
 * `completion`: what a shell needs to complete commands. The scripts ask the program itself (the
 * hidden command `__complete`), so they know every command and option of this version, and the
 * names of the things that the server has.
 */
import type { Command } from "commander";
import { z } from "zod";

import { candidatesFor } from "#cli/complete.ts";
import { define, noOptions, type Shell } from "#cli/define.ts";

const bash = `# Completion of millrace for bash. Add to ~/.bashrc:
#   source <(millrace completion bash)
_millrace() {
  local IFS=$'\\n'
  COMPREPLY=($("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _millrace millrace ./millrace
`;

const zsh = `#compdef millrace
# Completion of millrace for zsh. Add to ~/.zshrc, after compinit:
#   source <(millrace completion zsh)
_millrace() {
  local -a candidates
  candidates=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${candidates[1]}" ]]; then compadd -a candidates; else _files; fi
}
compdef _millrace millrace
`;

const fish = `# Completion of millrace for fish. Run once:
#   millrace completion fish > ~/.config/fish/completions/millrace.fish
function __millrace_complete
  set -l words (commandline -opc) (commandline -ct)
  $words[1] __complete -- $words[2..-1] 2>/dev/null
end
complete -c millrace -a '(__millrace_complete)'
`;

const scripts = { bash, zsh, fish };

export function addCompletion(program: Command, shell: Shell): void {
  define(program, shell, {
    usage: "completion <shell>",
    summary: "Completion of commands, options and names, for bash, zsh or fish",
    args: z.tuple([z.enum(["bash", "zsh", "fish"], "The shell is one of bash, zsh and fish")]),
    options: noOptions,
    examples: [
      "source <(millrace completion bash)",
      "millrace completion fish > ~/.config/fish/completions/millrace.fish",
    ],
    act: async ({ out }, [name]) => {
      await out.write(scripts[name]);
    },
  });

  const hidden = program.command("__complete [words...]", { hidden: true });
  hidden.action(async () => {
    const candidates = await candidatesFor(program, shell);
    shell.surroundings.stdout.write(candidates.map((candidate) => `${candidate}\n`).join(""));
  });
}

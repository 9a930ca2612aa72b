/**
 * What the command takes from the process around it. This is the only file of the CLI that reads
 * environment variables; help and documentation name the same ones.
 */
import { homedir } from "node:os";
import { join } from "node:path";

export interface Environment {
  readonly url: string | undefined;
  readonly key: string | undefined;
  readonly login: string | undefined;
  /** The server's data directory, for `login --local`. */
  readonly dataDir: string | undefined;
  readonly configDir: string;
  readonly home: string;
  readonly debug: boolean;
  readonly language: "en" | "zh-CN";
}

export const environmentHelp = `
Environment:
  MILLRACE_URL      URL of the server, instead of the stored login's
  MILLRACE_KEY      API key, instead of the stored login's
  MILLRACE_LOGIN    which stored login to use
  MILLRACE_DATA     the server's data directory, for 'login --local'
  MILLRACE_DEBUG    1 shows stack traces of errors
  XDG_CONFIG_HOME   logins are kept in $XDG_CONFIG_HOME/millrace (else ~/.config/millrace)

Exit status: 0 done, 1 a bill that is not proved, 64 wrong usage, 66 not found, 69 not enough
credit, quota or room, 73 conflict, 75 try again later, 77 not permitted, 70 internal error,
130 interrupted.
`;

export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const read = (name: string): string | undefined => {
    const value = variables[name];
    return value === "" ? undefined : value;
  };
  const home = read("HOME") ?? homedir();
  const locale = read("LC_ALL") ?? read("LC_MESSAGES") ?? read("LANG") ?? "";
  return {
    url: read("MILLRACE_URL"),
    key: read("MILLRACE_KEY"),
    login: read("MILLRACE_LOGIN"),
    dataDir: read("MILLRACE_DATA") ?? read("MILLRACE_DATA_DIRECTORY"),
    configDir: join(read("XDG_CONFIG_HOME") ?? join(home, ".config"), "millrace"),
    home,
    debug: read("MILLRACE_DEBUG") !== undefined,
    language: locale.startsWith("zh") ? "zh-CN" : "en",
  };
}

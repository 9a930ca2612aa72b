/** `login`, `logout`, `whoami`: which server, and as whom. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import type { Command } from "commander";
import { z } from "zod";

import { define, flag, noArguments, noOptions, oneArgument, type Shell } from "#cli/define.ts";
import { jsonOrUndefined } from "#cli/json.ts";
import { fileOf, hasCode, loginName, readLogins, writeLogins, type Login } from "#cli/logins.ts";
import { clientFor, type Session } from "#cli/session.ts";
import { fields, table } from "#cli/table.ts";
import { askSecret, askText } from "#cli/terminal.ts";
import { none, time } from "#cli/text.ts";
import type { AnswerOf } from "#client/types.ts";
import { Failure } from "#kernel/failure.ts";

const operatorFile = z.looseObject({ url: z.string(), key: z.string() });

const loginOptions = z.object({
  key: flag(
    "--key <key>",
    "the API key (safer: MILLRACE_KEY, stdin, or typed when asked for)",
    z.string().optional(),
  ),
  local: flag(
    "--local",
    "as the operator of the Millrace on this machine, with the credential in its data directory",
    z.boolean().default(false),
  ),
  data: flag("--data <directory>", "that data directory", z.string().optional()),
  name: flag("--name <name>", "what to call this login (default: default)", loginName.optional()),
});

export function addLogin(program: Command, shell: Shell): void {
  const login = define(program, shell, {
    usage: "login",
    summary: "Log in to a server, and keep the URL and the key for later commands",
    args: noArguments,
    options: loginOptions,
    examples: [
      "millrace login --local",
      "millrace login --url https://cloud.example.org",
      "echo $KEY | millrace login --url https://cloud.example.org --name work",
      "millrace --login work lease list",
    ],
    act: async (session, _args, options) => {
      const made = options.local
        ? localLogin(session, options.data)
        : await askedLogin(session, options.key);
      const name = options.name ?? session.globals.login ?? "default";
      await store(session, name, made);
    },
  });

  define(login, shell, {
    usage: "list",
    summary: "The stored logins",
    args: noArguments,
    options: noOptions,
    act: async ({ out, environment }) => {
      const { current, logins } = readLogins(environment.configDir);
      const items = Object.entries(logins).map(([name, { url }]) => ({
        name,
        url,
        current: name === current,
      }));
      await out.show({
        value: { items },
        ids: items.map((item) => item.name),
        text: () =>
          items.length === 0
            ? "No logins. Make one with: millrace login\n"
            : table(
                [
                  { title: "", cell: (item) => (item.current ? "*" : "") },
                  { title: "NAME", cell: (item) => item.name },
                  { title: "URL", cell: (item) => item.url },
                ],
                items,
              ),
      });
    },
  });

  define(login, shell, {
    usage: "use <name>",
    summary: "Use another stored login from now on",
    args: oneArgument,
    options: noOptions,
    act: async ({ out, environment: { configDir } }, [name]) => {
      const { logins } = readLogins(configDir);
      if (logins[name] === undefined) {
        throw new Failure(
          "not_found",
          `There is no login ${JSON.stringify(name)}. See: millrace login list`,
        );
      }
      writeLogins(configDir, { current: name, logins });
      await out.show({ value: { current: name }, ids: [name], text: () => `Using ${name}.\n` });
    },
  });

  define(program, shell, {
    usage: "logout [name]",
    summary: "Forget a stored login; its key stays valid until it is revoked",
    args: z.tuple([z.string().optional()]),
    options: noOptions,
    act: async ({ out, globals, environment: { configDir } }, [named]) => {
      const { current, logins } = readLogins(configDir);
      const name = named ?? globals.login ?? current;
      if (name === undefined || logins[name] === undefined) {
        throw new Failure("not_found", "There is no such login. See: millrace login list");
      }
      const left = Object.fromEntries(Object.entries(logins).filter(([other]) => other !== name));
      const next = current === name ? Object.keys(left)[0] : current;
      writeLogins(configDir, { ...(next === undefined ? {} : { current: next }), logins: left });
      await out.show({ value: { forgotten: name }, ids: [name], text: () => `Forgot ${name}.\n` });
    },
  });

  define(program, shell, {
    usage: "whoami",
    summary: "Who the credential stands for, and what it may do",
    args: noArguments,
    options: noOptions,
    act: async (session) => {
      const me = await session.client.call("whoami");
      const { url } = session.target();
      await session.out.show({
        value: me,
        ids: [me.user.id],
        text: () =>
          fields([
            ["Server", url],
            ["Tenant", me.tenant.name],
            ["User", `${me.user.name} (${me.user.role})`],
            ["Key", keyText(me)],
            ["May", me.permissions.join(", ") || none],
          ]),
      });
    },
  });
}

const scopeText = { all: "all", read: "read only", "usage.write": "usage only" } as const;

function keyText({ key }: AnswerOf<"whoami">): string {
  if (key === null) return none;
  const ends = key.expiresAt === null ? "never" : time(key.expiresAt);
  return `${scopeText[key.scope]}, expires ${ends}`;
}

async function store(session: Session, name: string, made: Login): Promise<void> {
  const { environment, out, signal } = session;
  const client = clientFor({ url: made.url, key: made.key }, { signal, tenant: undefined });
  const me: AnswerOf<"whoami"> = await client.call("whoami");
  const { logins } = readLogins(environment.configDir);
  writeLogins(environment.configDir, { current: name, logins: { ...logins, [name]: made } });
  await out.show({
    value: me,
    ids: [me.user.id],
    text: () =>
      `Logged in to ${made.url} as ${me.user.name} (${me.user.role}) of ${me.tenant.name}.\nKept as ${JSON.stringify(name)} in ${fileOf(environment.configDir)}.\n`,
  });
}

async function askedLogin(session: Session, givenKey: string | undefined): Promise<Login> {
  const { environment, globals, signal } = session;
  const url = globals.url ?? environment.url ?? (await askText("URL of the server: ", signal));
  if (url === undefined || url === "") {
    throw new Failure(
      "invalid_request",
      "Which server? Give --url, such as --url http://127.0.0.1:8080.",
    );
  }
  const key = givenKey ?? environment.key ?? (await askSecret("API key: ", signal));
  if (key === undefined || key === "") {
    throw new Failure(
      "invalid_request",
      "No key was given. Set MILLRACE_KEY, or type it when asked for.",
    );
  }
  return { url, key };
}

/** The credential that the server keeps for its operator in its own data directory. */
function localLogin({ environment }: Session, data: string | undefined): Login {
  const named = data ?? environment.dataDir;
  const root = fileURLToPath(new URL("../../../", import.meta.url));
  const directories =
    named === undefined ? [join(root, "data"), "/var/lib/millrace"] : [resolve(named)];
  const paths = directories.map((directory) => join(directory, "operator.json"));
  const path = paths.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new Failure(
      "not_found",
      `There is no operator's credential at ${paths.join(" or ")}. Start the server, or name its directory with --data.`,
    );
  }
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const advice = hasCode(error, "EACCES") ? " Only the account that runs the server can." : "";
    throw new Failure("forbidden", `Cannot read ${path}.${advice}`, { cause: error });
  }
  const parsed = operatorFile.safeParse(jsonOrUndefined(text));
  if (parsed.success) return { url: parsed.data.url, key: parsed.data.key };
  throw new Failure(
    "invalid_request",
    `${path} is not an operator's credential. Restart the server.`,
  );
}

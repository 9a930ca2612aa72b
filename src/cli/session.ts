/** What a command works with: the client under the login in force, the output, the interrupt. */
import { z } from "zod";

import { createClient, type Client } from "#client/client.ts";
import { Failure } from "#kernel/failure.ts";

import type { Environment } from "./environment.ts";
import { fileOf, isExposed, readLogins } from "./logins.ts";
import { createOutput, type Output } from "./output.ts";

export const globalOptions = z.object({
  output: z.enum(["table", "json"]).default("table"),
  quiet: z.boolean().default(false),
  tenant: z.string().optional(),
  url: z.string().optional(),
  login: z.string().optional(),
});
export type Globals = z.output<typeof globalOptions>;

export interface Surroundings {
  readonly environment: Environment;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly setExitCode: (code: number) => void;
}

export interface Session {
  readonly environment: Environment;
  readonly globals: Globals;
  readonly out: Output;
  readonly signal: AbortSignal;
  /** Throws `unauthenticated` where nobody has logged in. */
  readonly client: Client;
  /** Where the client calls, and with what. */
  target(): Target;
  readonly setExitCode: (code: number) => void;
}

export interface Target {
  readonly url: string;
  readonly key: string | undefined;
}

export function openSession(surroundings: Surroundings, globals: Globals): Session {
  const { environment, signal, setExitCode } = surroundings;
  const out = createOutput({ format: globals.output, quiet: globals.quiet }, surroundings);
  let client: Client | undefined;
  const target = (): Target => findTarget(environment, globals, out);
  return {
    environment,
    globals,
    out,
    signal,
    target,
    get client() {
      client ??= clientFor(target(), { signal, tenant: globals.tenant });
      return client;
    },
    setExitCode,
  };
}

export function clientFor(
  { url, key }: Target,
  { signal, tenant }: { readonly signal: AbortSignal; readonly tenant: string | undefined },
): Client {
  return createClient({
    baseUrl: url,
    signal,
    ...(key === undefined ? {} : { credential: key }),
    ...(tenant === undefined ? {} : { tenant }),
  });
}

/** A stored key goes only to the URL that it was stored with. */
function findTarget(environment: Environment, globals: Globals, out: Output): Target {
  const url = globals.url ?? environment.url;
  if (environment.key !== undefined && url !== undefined) return { url, key: environment.key };
  const { configDir } = environment;
  const { current, logins } = readLogins(configDir);
  if (isExposed(configDir)) {
    out.note(
      `millrace: others can read ${fileOf(configDir)}. Run: chmod 600 ${fileOf(configDir)}\n`,
    );
  }
  const name = globals.login ?? environment.login;
  if (name !== undefined && logins[name] === undefined) {
    const known = Object.keys(logins).join(", ");
    throw new Failure(
      "unauthenticated",
      `There is no login ${JSON.stringify(name)}${known === "" ? "" : ` (there are: ${known})`}. Make it with: millrace login --name ${name}`,
    );
  }
  const stored = logins[name ?? current ?? ""];
  if (url !== undefined && stored?.url !== url) {
    const same = Object.values(logins).find((login) => login.url === url);
    return { url, key: same?.key };
  }
  if (stored !== undefined) return { url: stored.url, key: environment.key ?? stored.key };
  throw new Failure(
    "unauthenticated",
    "Nobody is logged in. Log in with: millrace login (on the server's own machine: millrace login --local).",
  );
}

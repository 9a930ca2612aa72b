/**
 * A kubeconfig file as kubectl reads it: the context that is asked for, or the current one, with its
 * cluster and its user. Paths in it are relative to its own folder. What this client does not do (a
 * proxy, a password, the plug-ins of old) is refused with its name, never passed over.
 */
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";

import { parse } from "yaml";
import { z } from "zod";

import type { Cluster } from "./cluster.ts";
import { type Credential, type Credentials, TokenFile, WrittenCredential } from "./credentials.ts";
import { CredentialError } from "./errors.ts";
import { ExecCredentials, execApiVersion } from "./exec-plugin.ts";
import { type KubeconfigUser, kubeconfigSchema } from "./kubeconfig-schema.ts";

export interface KubeconfigChoice {
  readonly path: string;
  /** The file's `current-context` if absent. */
  readonly context?: string;
  /** What an exec plug-in sees of our environment: PATH and HOME at least. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Throws CredentialError with what is wrong in the file. */
export async function kubeconfig(choice: KubeconfigChoice): Promise<Cluster> {
  const { path } = choice;
  const config = readConfig(path, await readText(path, "the kubeconfig"));
  const contextName = choice.context ?? config["current-context"];
  const context = named(config.contexts, { what: "context", name: contextName, path }).context;
  const { cluster } = named(config.clusters, { what: "cluster", name: context.cluster, path });
  const { user } = named(config.users, { what: "user", name: context.user, path });

  if (cluster["proxy-url"] !== undefined) throw unsupported(path, "proxy-url");
  const folder = dirname(path);
  const authority = await inlineOrFile({
    data: cluster["certificate-authority-data"],
    file: cluster["certificate-authority"],
    folder,
  });
  return {
    server: cluster.server.replace(/\/+$/, ""),
    ...(authority === undefined ? {} : { authority }),
    ...(cluster["tls-server-name"] === undefined ? {} : { serverName: cluster["tls-server-name"] }),
    verified: !cluster["insecure-skip-tls-verify"],
    credentials: await credentialsOf(user, { ...choice, folder, cluster, name: context.user }),
    ...(user.as === undefined ? {} : { actAs: { user: user.as, groups: user["as-groups"] } }),
    namespace: context.namespace ?? "default",
  };
}

function readConfig(path: string, text: string): z.infer<typeof kubeconfigSchema> {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    throw new CredentialError(`the kubeconfig ${path} is no YAML`, { cause: error });
  }
  const parsed = kubeconfigSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw new CredentialError(`the kubeconfig ${path}: ${z.prettifyError(parsed.error)}`);
}

function named<T extends { readonly name: string }>(
  list: readonly T[],
  { what, name, path }: { what: string; name: string; path: string },
): T {
  const found = list.find((each) => each.name === name);
  if (found !== undefined) return found;
  const known = list.map((each) => each.name).join(", ");
  throw new CredentialError(
    `the kubeconfig ${path} has no ${what} "${name}"; it has: ${known === "" ? "none" : known}`,
  );
}

interface UserPlace extends KubeconfigChoice {
  readonly folder: string;
  readonly cluster: Readonly<Record<string, unknown>>;
  /** The user's, in the file. */
  readonly name: string;
}

/** A plug-in first, then a token, then a certificate: what a certificate adds goes with a token. */
async function credentialsOf(user: KubeconfigUser, place: UserPlace): Promise<Credentials> {
  const { path, folder } = place;
  if (user.username !== undefined) throw unsupported(path, "username and password");
  if (user["auth-provider"] !== undefined) throw unsupported(path, "auth-provider");
  if (user.exec !== undefined) return execCredentials(user.exec, place);
  if (user.token === undefined && user.tokenFile !== undefined) {
    return new TokenFile(within(folder, user.tokenFile));
  }
  return new WrittenCredential(await written(user, place), async () => {
    const { users } = readConfig(path, await readText(path, "the kubeconfig"));
    return written(named(users, { what: "user", name: place.name, path }).user, place);
  });
}

/** What stands in the kubeconfig itself, and in the files that it names. */
async function written(user: KubeconfigUser, { path, folder }: UserPlace): Promise<Credential> {
  const cert = await inlineOrFile({
    data: user["client-certificate-data"],
    file: user["client-certificate"],
    folder,
  });
  const key = await inlineOrFile({
    data: user["client-key-data"],
    file: user["client-key"],
    folder,
  });
  if ((cert === undefined) !== (key === undefined)) {
    throw new CredentialError(`the kubeconfig ${path} has a client certificate without its key`);
  }
  return {
    ...(user.token === undefined ? {} : { token: user.token }),
    ...(cert === undefined || key === undefined ? {} : { certificate: { cert, key } }),
  };
}

function execCredentials(
  exec: NonNullable<KubeconfigUser["exec"]>,
  { path, folder, cluster, environment }: UserPlace,
): Credentials {
  if (exec.apiVersion !== execApiVersion) throw unsupported(path, `exec in ${exec.apiVersion}`);
  if (exec.interactiveMode === "Always") throw unsupported(path, "exec that needs a terminal");
  const { "certificate-authority": _file, ...told } = cluster;
  return new ExecCredentials(
    {
      apiVersion: exec.apiVersion,
      // As kubectl has it: a bare name is looked for in PATH, a path begins at the file's folder.
      command: exec.command.includes("/") ? within(folder, exec.command) : exec.command,
      args: exec.args ?? [],
      env: Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value])),
      ...(exec.provideClusterInfo ? { cluster: told } : {}),
      ...(exec.installHint === undefined ? {} : { installHint: exec.installHint }),
    },
    environment,
  );
}

async function inlineOrFile(source: {
  data: string | undefined;
  file: string | undefined;
  folder: string;
}): Promise<string | undefined> {
  if (source.data !== undefined) return Buffer.from(source.data, "base64").toString("utf8");
  if (source.file === undefined) return undefined;
  return readText(within(source.folder, source.file), "the file");
}

async function readText(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new CredentialError(`${what} ${path} cannot be read`, { cause: error });
  }
}

function within(folder: string, path: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

function unsupported(path: string, what: string): CredentialError {
  return new CredentialError(`the kubeconfig ${path} uses ${what}, which is not supported here`);
}

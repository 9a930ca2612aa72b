/**
 * Whether the API's address is free, asked before anything is started that takes its time; and who
 * has it if it is not, because that is the next thing that anybody wants to know.
 */
import { once } from "node:events";
import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer } from "node:net";

import { cannotListen } from "#api/server.ts";
import { Failure } from "#kernel/failure.ts";

const commandCharactersMax = 80;

/** Throws Failure as listening later would, with who listens there now. */
export async function requireFreePort(at: {
  readonly host: string;
  readonly port: number;
}): Promise<void> {
  const server = createServer();
  try {
    server.listen({ host: at.host, port: at.port });
    await once(server, "listening");
  } catch (cause) {
    const isTaken = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
    throw isTaken ? await taken(at, cause) : cannotListen(at, cause);
  } finally {
    server.close();
  }
}

async function taken(
  { host, port }: { readonly host: string; readonly port: number },
  cause: Error,
): Promise<Failure> {
  const holder = await listenerOn(port);
  const who =
    holder === undefined
      ? "a program of another account"
      : `process ${holder.pid} (${holder.command})`;
  const stop = holder === undefined ? "stop that program" : `stop that one (kill ${holder.pid})`;
  return new Failure(
    "unavailable",
    `${host}:${port} is in use by ${who}. Choose another port with --port, or ${stop}.`,
    { cause, details: { port, ...holder } },
  );
}

interface Listener {
  readonly pid: number;
  readonly command: string;
}

/** `undefined` when only its own account may see whose socket it is. */
async function listenerOn(port: number): Promise<Listener | undefined> {
  const sockets = await listeningSockets(port);
  if (sockets.size === 0) return undefined;
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    // A process may end while we look, and others' are closed to us.
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
      if (sockets.has(target)) return { pid: Number(pid), command: await commandOf(pid) };
    }
  }
  return undefined;
}

/** As the kernel lists them: local address and port in hexadecimal, state 0A is listening. */
async function listeningSockets(port: number): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const text = await readFile(table, "utf8").catch(() => "");
    for (const line of text.split("\n").slice(1)) {
      const fields = line.trim().split(/\s+/);
      const [, local = "", , state] = fields;
      const isOurs = Number.parseInt(local.split(":")[1] ?? "", 16) === port;
      if (isOurs && state === "0A") found.add(`socket:[${fields[9] ?? ""}]`);
    }
  }
  return found;
}

async function commandOf(pid: string): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const words = text.split("\0").join(" ").trim();
  // What another program calls itself is not to steer this terminal.
  return words.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, commandCharactersMax) || "?";
}

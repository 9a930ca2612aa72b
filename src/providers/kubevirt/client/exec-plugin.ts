/**
 * Credentials from a program that the kubeconfig names (`user.exec`, client.authentication.k8s.io/v1):
 * what clouds use to sign in. The program runs once, for all requests that wait for it, and again
 * when what it gave ends or was turned down. It gets no terminal, so one that must ask a person
 * cannot be used here.
 */
import { spawn } from "node:child_process";
import { z } from "zod";

import type { Credential, Credentials } from "./credentials.ts";
import { CredentialError } from "./errors.ts";

export const execApiVersion = "client.authentication.k8s.io/v1";

export interface ExecPlugin {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Told to the program if the kubeconfig says so. */
  readonly cluster?: Readonly<Record<string, unknown>>;
  /** For a person who has not got the program. */
  readonly installHint?: string;
}

const execCredential = z.object({
  kind: z.literal("ExecCredential"),
  apiVersion: z.string(),
  status: z.object({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.iso.datetime({ offset: true }).optional(),
  }),
});

const runTimeMaxMs = 60_000;
const outputBytesMax = 256 * 1024;
const complaintCharactersMax = 500;
/** What ends so soon would end on the way. */
const marginMs = 10_000;

interface Given {
  readonly credential: Credential;
  readonly endsAt: number;
}

export class ExecCredentials implements Credentials {
  readonly #plugin: ExecPlugin;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #now: () => number;
  #given: Given | undefined;
  #running: Promise<Given> | undefined;

  /** `environment` is what the program sees beside what the kubeconfig adds: PATH, HOME. */
  constructor(
    plugin: ExecPlugin,
    environment: Readonly<Record<string, string | undefined>>,
    now: () => number = Date.now,
  ) {
    this.#plugin = plugin;
    this.#environment = environment;
    this.#now = now;
  }

  async current(signal: AbortSignal): Promise<Credential> {
    const given = this.#given;
    if (given !== undefined && this.#now() < given.endsAt - marginMs) return given.credential;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    const fresh = await unlessAborted(this.#running, signal);
    return fresh.credential;
  }

  renew(turnedDown: Credential): boolean {
    if (this.#given?.credential === turnedDown) this.#given = undefined;
    return true;
  }

  async #run(): Promise<Given> {
    const { command, installHint } = this.#plugin;
    const output = await this.#output().catch((error: unknown) => {
      const hint = installHint === undefined ? "" : ` (${installHint})`;
      throw new CredentialError(`${command} gave no credential${hint}`, { cause: error });
    });
    this.#given = readCredential(command, output);
    return this.#given;
  }

  #output(): Promise<string> {
    const { apiVersion, command, args, env, cluster } = this.#plugin;
    const spec = { interactive: false, ...(cluster === undefined ? {} : { cluster }) };
    const info = JSON.stringify({ apiVersion, kind: "ExecCredential", spec });
    const child = spawn(command, args, {
      env: { ...this.#environment, ...env, KUBERNETES_EXEC_INFO: info },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: runTimeMaxMs,
      killSignal: "SIGKILL",
    });
    return new Promise((resolve, reject) => {
      let output = "";
      let complaint = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        if (output.length > outputBytesMax) child.kill("SIGKILL");
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        complaint = (complaint + text).slice(-complaintCharactersMax);
      });
      child.once("error", reject);
      child.once("close", (code, killedBy) => {
        if (code === 0) resolve(output);
        else
          reject(new Error(`it ended with ${code ?? killedBy ?? "nothing"}: ${complaint.trim()}`));
      });
    });
  }
}

function readCredential(command: string, output: string): Given {
  const parsed = execCredential.safeParse(parseJson(output));
  if (!parsed.success) throw new CredentialError(`${command} printed no ExecCredential`);
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = parsed.data.status;
  const certificate =
    clientCertificateData === undefined || clientKeyData === undefined
      ? undefined
      : { cert: clientCertificateData, key: clientKeyData };
  if (token === undefined && certificate === undefined) {
    throw new CredentialError(`${command} printed neither a token nor a certificate with its key`);
  }
  return {
    credential: {
      ...(token === undefined ? {} : { token }),
      ...(certificate === undefined ? {} : { certificate }),
    },
    endsAt: expirationTimestamp === undefined ? Infinity : Date.parse(expirationTimestamp),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Who gives up leaves; the program goes on for the others. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(
        new CredentialError("the call ended before the credential came", { cause: signal.reason }),
      );
    };
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", abort);
    });
  });
}

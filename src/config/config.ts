/**
 * One schema, one frozen object. The only reader of the environment and of the command line of
 * the server; everything else is handed what it needs.
 */
import { parseArgs } from "node:util";

import { z } from "zod";

import { Failure } from "#kernel/failure.ts";

const port = z.coerce.number().int().min(0).max(65_535);

const schema = z.strictObject({
  role: z.enum(["all", "serve", "work", "migrate", "operator-key"]).default("all"),
  dataDirectory: z.string().min(1).optional(),
  /** Tenants' files, where several processes share them; `storage/` in the data directory if left out. */
  storageDirectory: z.string().min(1).optional(),
  /** An external PostgreSQL; the embedded one when left out. */
  databaseUrl: z
    .string()
    .regex(/^postgres(?:ql)?:\/\//, "postgres://…")
    .optional(),
  host: z.string().min(1).default("127.0.0.1"),
  port: port.default(7272),
  /**
   * Where metrics are told, and no longer on the API's port. Left out, the API tells them, and a
   * process that only works tells none.
   */
  metricsPort: port.optional(),
  logLevel: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
  /** `A100=8,T4=16`: adds a simulated host with such GPUs. */
  simulateGpus: z.string().min(1).optional(),
  /** `off` for an installation without machines of its own. */
  local: z.enum(["on", "off"]).default("on"),
  /** vCPUs that the local site offers; the machine's CPUs when left out. */
  localCpus: z.coerce.number().int().min(1).max(1024).optional(),
  /** Memory that the local site offers, in MiB. */
  localMemoryMib: z.coerce.number().int().min(256).max(16_777_216).optional(),
  /** `off`: every machine boots; `on`: it continues from a template where one is there. */
  warmStart: z.enum(["on", "off"]).default("on"),
  /** Machines that stand started and paused, in all, for the flavors asked for last. */
  warmPool: z.coerce.number().int().min(0).max(16).default(1),
  imageCache: z.string().min(1).optional(),
  /** Files that describe Kubernetes clusters with KubeVirt, one each, by comma. */
  clusters: z
    .string()
    .transform((text) => text.split(",").map((path) => path.trim()))
    .refine((paths) => paths.every((path) => path !== ""), "paths of files, by comma")
    .default([]),
  /** `believe`: the machine's clock is right, whatever the database has seen. */
  clock: z.enum(["check", "believe"]).default("check"),
  /** Shown to whoever pays by transfer: name, bank, number. */
  bankAccount: z.string().min(1).max(300).optional(),
  /** `on`: offers payments that move no money, for tests and demonstrations. */
  testPayments: z.enum(["on", "off"]).default("off"),
  /** The private key that signs the metering log; one in the data directory when left out. */
  logKeyFile: z.string().min(1).optional(),
  /** The name of the metering log, given when it begins: a host name and a path, without a scheme. */
  logName: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9./_-]{0,199}$/, "letters, digits, '.', '/', '_' and '-'")
    .optional(),
  /** `on`: a proxy in front sets `X-Forwarded-For`, `-Proto` and `-Host`, and is believed. */
  trustProxy: z.enum(["on", "off"]).default("off"),
  /** The URL that people use, such as that of a proxy: links have it, and with https cookies are Secure. */
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .refine((text) => ["", "/"].includes(URL.parse(text)?.pathname ?? "-"), "without a path")
    .optional(),
  databaseConnections: z.coerce.number().int().min(4).max(200).default(12),
});
export type Config = Readonly<z.output<typeof schema>>;

const names = Object.keys(schema.shape);

/** `--data-directory D` or `MILLRACE_DATA_DIRECTORY=D`; the command line wins. */
export function readConfig(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Config {
  const fromEnvironment = names.flatMap((name) => {
    const value = environment[`MILLRACE_${snake(name).toUpperCase()}`];
    return value === undefined || value === "" ? [] : [[name, value] as const];
  });
  const databaseUrl = environment["DATABASE_URL"];
  const given: Record<string, unknown> = {
    ...(databaseUrl === undefined || databaseUrl === "" ? {} : { databaseUrl }),
    ...Object.fromEntries(fromEnvironment),
    ...fromCommandLine(argv),
  };
  const parsed = schema.safeParse(given);
  if (parsed.success) return Object.freeze(parsed.data);
  const problems = parsed.error.issues.map(
    (issue) => `--${snake(String(issue.path[0] ?? "")).replaceAll("_", "-")}: ${issue.message}`,
  );
  throw new Failure("invalid_request", `${problems.join("; ")}. See docs/operate/RUNNING.md.`);
}

function fromCommandLine(argv: readonly string[]): Record<string, unknown> {
  const options = Object.fromEntries(
    names.map((name) => [snake(name).replaceAll("_", "-"), { type: "string" as const }]),
  );
  try {
    const { values } = parseArgs({ args: [...argv], options, strict: true });
    return Object.fromEntries(Object.entries(values).map(([flag, value]) => [camel(flag), value]));
  } catch (cause) {
    throw new Failure(
      "invalid_request",
      `${cause instanceof Error ? cause.message : String(cause)} Known options: ${Object.keys(
        options,
      )
        .map((flag) => `--${flag}`)
        .join(" ")}. See docs/operate/RUNNING.md.`,
      { cause },
    );
  }
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function camel(flag: string): string {
  return flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

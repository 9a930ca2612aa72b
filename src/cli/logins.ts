/**
 * The stored logins: named pairs of a URL and an API key, in a file that only its owner can read.
 * It is written whole beside itself and renamed, so a crash leaves the old one or the new one.
 */
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

import { Failure } from "#kernel/failure.ts";

import { jsonOrUndefined } from "./json.ts";

const login = z.strictObject({ url: z.string(), key: z.string() });
const loginFile = z.strictObject({
  current: z.string().optional(),
  logins: z.record(z.string(), login),
});

export type Login = z.output<typeof login>;
export type LoginFile = z.output<typeof loginFile>;

export const loginName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "letters, digits, '.', '_' and '-'");

export function readLogins(configDir: string): LoginFile {
  const path = fileOf(configDir);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return { logins: {} };
    throw new Failure("forbidden", `Cannot read ${path}. Check its permissions.`, {
      cause: error,
    });
  }
  const parsed = loginFile.safeParse(jsonOrUndefined(text));
  if (parsed.success) return parsed.data;
  throw new Failure(
    "invalid_request",
    `${path} is not a file of logins. Remove it and log in again.`,
    { cause: parsed.error },
  );
}

export function writeLogins(configDir: string, logins: LoginFile): void {
  mkdirSync(configDir, { recursive: true, mode: 0o700 });
  const path = fileOf(configDir);
  const next = `${path}.${process.pid}.new`;
  writeFileSync(next, `${JSON.stringify(logins, null, 2)}\n`, { mode: 0o600 });
  // The mode above is cut by the umask only; a file left over from before would keep its own.
  chmodSync(next, 0o600);
  renameSync(next, path);
}

/** Whether others than the owner can read the stored keys. */
export function isExposed(configDir: string): boolean {
  const stat = statSync(fileOf(configDir), { throwIfNoEntry: false });
  return stat !== undefined && (stat.mode & 0o077) !== 0;
}

export function fileOf(configDir: string): string {
  return join(configDir, "config.json");
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

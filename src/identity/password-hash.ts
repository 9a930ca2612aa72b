/**
 * Passwords as scrypt hashes. What must stay true: an unknown account costs as much as a wrong
 * password, so that time does not tell which accounts there are; one hash at a time (32 MiB and some
 * 0.3 s of a core each), so that signing in can take neither the memory nor the machine.
 */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

import { Failure } from "#kernel/failure.ts";

/** OWASP's choice that needs least memory of those it holds equal. */
const log2N = 15;
const blockSize = 8;
const parallelism = 3;
const saltBytes = 16;
const hashBytes = 32;
const memoryBytesMax = 64 * 2 ** 20;
/** Who comes when so many wait is asked to come again. */
const waitingMax = 8;

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await inTurn(() => hashWith(password, salt));
  const parts = [log2N, blockSize, parallelism, salt.toString("base64url")];
  return ["scrypt", ...parts, hash.toString("base64url")].join("$");
}

const nobodysSalt = randomBytes(saltBytes);

/** `stored` is `undefined` for an account that there is not, or that has none. */
export async function matchesPassword(
  password: string,
  stored: string | undefined,
): Promise<boolean> {
  const [kind, n, r, p, salt, hash] = stored?.split("$") ?? [];
  const known = [kind, n, r, p].join("$") === ["scrypt", log2N, blockSize, parallelism].join("$");
  if (!known || salt === undefined || hash === undefined) {
    if (stored !== undefined) throw new Error("a password was hashed in a way that nobody knows");
    await inTurn(() => hashWith(password, nobodysSalt));
    return false;
  }
  const made = await inTurn(() => hashWith(password, Buffer.from(salt, "base64url")));
  return timingSafeEqual(made, Buffer.from(hash, "base64url"));
}

/** Different ways to type one character are one password. */
function hashWith(password: string, salt: Buffer): Promise<Buffer> {
  return derive(password.normalize("NFKC"), salt, hashBytes, {
    N: 2 ** log2N,
    r: blockSize,
    p: parallelism,
    maxmem: memoryBytesMax,
  });
}

let waiting = 0;
let last: Promise<unknown> = Promise.resolve();

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (waiting >= waitingMax) {
    throw new Failure("throttled", "Many are signing in at this moment; try again.", {
      details: { retryAfterSeconds: 3 },
    });
  }
  waiting += 1;
  const mine = last.then(work);
  last = mine.catch(() => undefined);
  try {
    return await mine;
  } finally {
    waiting -= 1;
  }
}

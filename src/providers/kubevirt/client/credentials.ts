/**
 * Who we are to the API server. A credential may change while the program runs: a token file is
 * rotated, a plug-in's token ends. So each request asks for the current one, and says when it was
 * turned down.
 */
import { readFile, stat } from "node:fs/promises";

import { CredentialError } from "./errors.ts";

export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What a request is signed with; without either it goes as `system:anonymous`. */
export interface Credential {
  readonly token?: string;
  readonly certificate?: ClientCertificate;
}

export interface Credentials {
  current(signal: AbortSignal): Promise<Credential>;
  /** The server answered 401 to `turnedDown`. True if it is worth another try with a new one. */
  renew(turnedDown: Credential): boolean;
}

/** One that stays as it is. */
export function fixedCredential(credential: Credential): Credentials {
  return { current: async () => credential, renew: () => false };
}

/** One that is written down where somebody may write another: read again when it was turned down. */
export class WrittenCredential implements Credentials {
  readonly #read: () => Promise<Credential>;
  #known: Credential;
  #isTurnedDown = false;

  /** `read` throws CredentialError. */
  constructor(known: Credential, read: () => Promise<Credential>) {
    this.#known = known;
    this.#read = read;
  }

  async current(): Promise<Credential> {
    if (!this.#isTurnedDown) return this.#known;
    const next = await this.#read();
    this.#isTurnedDown = false;
    // The same again stays the same object, so that kept sockets are not given up.
    if (JSON.stringify(next) !== JSON.stringify(this.#known)) this.#known = next;
    return this.#known;
  }

  renew(turnedDown: Credential): boolean {
    if (turnedDown === this.#known) this.#isTurnedDown = true;
    return true;
  }
}

/** A file's token may be this old; kubelet writes the next one long before the last one ends. */
const tokenAgeMaxMs = 30_000;
const tokenBytesMax = 64 * 1024;

/** A token in a file that somebody else rotates. */
export class TokenFile implements Credentials {
  readonly #path: string;
  readonly #now: () => number;
  #read: { readonly credential: Credential; readonly at: number } | undefined;

  constructor(path: string, now: () => number = Date.now) {
    this.#path = path;
    this.#now = now;
  }

  async current(): Promise<Credential> {
    const known = this.#read;
    if (known !== undefined && this.#now() - known.at < tokenAgeMaxMs) return known.credential;
    const token = await readToken(this.#path);
    const credential = known?.credential.token === token ? known.credential : { token };
    this.#read = { credential, at: this.#now() };
    return credential;
  }

  /** The file may have a newer one already: reading it again costs nothing. */
  renew(turnedDown: Credential): boolean {
    if (this.#read?.credential === turnedDown) this.#read = undefined;
    return true;
  }
}

async function readToken(path: string): Promise<string> {
  try {
    if ((await stat(path)).size > tokenBytesMax) throw new CredentialError(`${path} is no token`);
    const token = (await readFile(path, "utf8")).trim();
    if (token === "") throw new CredentialError(`the token file ${path} is empty`);
    return token;
  } catch (error) {
    if (error instanceof CredentialError) throw error;
    throw new CredentialError(`the token file ${path} cannot be read`, { cause: error });
  }
}

/**
 * Calls as the rest of the client makes them: signed in, in turn, within a deadline, and sent again
 * where that does no harm. A call whose credential was turned down (401) had no effect, so that one is
 * signed anew and sent once more, whatever it is.
 */
import type { IncomingMessage } from "node:http";
import { setTimeout as after } from "node:timers/promises";

import { Gate } from "#providers/gate.ts";
import { Leash } from "#providers/leash.ts";

import type { Cluster } from "./cluster.ts";
import { Connection, type Exchange, readBody, readStart } from "./connection.ts";
import {
  ConnectionError,
  CredentialError,
  RefusedError,
  StatusError,
  readStatus,
} from "./errors.ts";
import { type RetryPolicy, retryDelayMs } from "./retry.ts";

export interface CallLimits {
  /** Calls under way at once; watches and streams are not counted. */
  readonly callsMax: number;
  /** Calls that wait for their turn. */
  readonly waitingMax: number;
  /** For one try, from the first byte out to the last byte in. */
  readonly timeoutMs: number;
  /** etcd takes no larger one, so the server would refuse it after reading it all. */
  readonly bodyBytesMax: number;
  /** A page of a list included. */
  readonly answerBytesMax: number;
  readonly retry: RetryPolicy;
  /** Nothing but GET is sent, whatever is asked for. */
  readonly onlyReads?: true;
}

/** Of an answer that is no success; a proxy's page may be of any length. */
const refusalBytesMax = 256 * 1024;
const warningCharactersMax = 500;

export interface Answer {
  readonly body: unknown;
  /** What the server said beside: a deprecated version, a field that has no effect. */
  readonly warnings: readonly string[];
}

export interface CallOptions {
  readonly signal: AbortSignal;
  /** True if it may happen twice without harm. */
  readonly repeatable: boolean;
}

export class Calls {
  readonly connection: Connection;
  readonly #limits: CallLimits;
  readonly #gate: Gate;
  readonly #hear: (warning: string) => void;

  constructor(
    cluster: Cluster,
    limits: CallLimits,
    hear: (warning: string) => void = () => undefined,
  ) {
    this.connection = new Connection(cluster);
    this.#limits = limits;
    this.#hear = hear;
    this.#gate = new Gate(limits.callsMax, limits.waitingMax);
  }

  /** Throws StatusError, ConnectionError, CredentialError or RefusedError. */
  async send(exchange: Exchange, { signal, repeatable }: CallOptions): Promise<Answer> {
    if (this.#limits.onlyReads === true && exchange.method !== "GET") {
      throw new RefusedError("this process reads the cluster and writes nothing to it");
    }
    const bytes = Buffer.byteLength(exchange.body?.text ?? "");
    const { bodyBytesMax, retry } = this.#limits;
    if (bytes > bodyBytesMax) {
      throw new RefusedError(`the object has ${bytes} bytes; the limit is ${bodyBytesMax}`);
    }
    let mayHaveHappened = false;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#inTurn(exchange, signal);
      } catch (cause) {
        const error = mayHaveHappened ? uncertain(cause) : cause;
        const chance = { attempt, random: Math.random() };
        const delayMs = repeatable ? retryDelayMs(retry, cause, chance) : undefined;
        if (delayMs === undefined || signal.aborted) throw error;
        mayHaveHappened ||= isUncertain(cause);
        await rest(delayMs, signal, mayHaveHappened ? uncertain(cause) : cause);
      }
    }
  }

  /**
   * An answer whose body the caller reads as it comes: a watch, a log. `endAfterMs` bounds the time
   * until its head. The caller destroys it.
   */
  async open(exchange: Exchange, signal: AbortSignal): Promise<IncomingMessage> {
    const leash = new Leash(signal);
    leash.endAfter(this.#limits.timeoutMs);
    try {
      const response = await this.#signedIn(exchange, leash.signal);
      leash.hold();
      response.once("close", () => {
        leash.release();
      });
      return response;
    } finally {
      leash.end();
    }
  }

  close(): void {
    this.connection.close();
  }

  async #inTurn(exchange: Exchange, signal: AbortSignal): Promise<Answer> {
    const leave = await this.#gate.enter(signal).catch((error: unknown) => {
      throw new ConnectionError("the call never got its turn", { effect: "none", cause: error });
    });
    const leash = new Leash(signal);
    leash.endAfter(this.#limits.timeoutMs);
    try {
      const response = await this.#signedIn(exchange, leash.signal);
      const text = await readBody(response, this.#limits.answerBytesMax);
      return { body: parseAnswer(text), warnings: warningsOf(response) };
    } finally {
      leash.end();
      leave();
    }
  }

  /** An answer that is a success; anything else is thrown as what it says. */
  async #signedIn(exchange: Exchange, signal: AbortSignal): Promise<IncomingMessage> {
    const { credentials } = this.connection.cluster;
    for (let renewed = false; ; renewed = true) {
      const credential = await credentials.current(signal);
      const response = await this.connection.open(exchange, credential, signal);
      const code = response.statusCode ?? 0;
      if (code >= 200 && code < 300) {
        for (const warning of warningsOf(response)) this.#hear(warning);
        return response;
      }
      const text = await readStart(response, refusalBytesMax);
      if (code === 401 && !renewed && credentials.renew(credential)) continue;
      throw readStatus(code, text, response.headers["retry-after"]);
    }
  }
}

/** Some actions answer with nothing, or with a word. */
function parseAnswer(text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `299 - "the text"`, once for each warning; quotes inside are escaped. */
function warningsOf(response: IncomingMessage): string[] {
  const headers = response.headersDistinct["warning"] ?? [];
  return headers.flatMap((header) =>
    [...header.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) =>
      text.replaceAll(/\\(.)/g, "$1").slice(0, warningCharactersMax),
    ),
  );
}

function isUncertain(error: unknown): boolean {
  if (error instanceof ConnectionError) return error.effect === "maybe";
  return error instanceof StatusError && error.code >= 500;
}

/** A try before this one may have done it: that the last one did nothing says nothing. */
function uncertain(error: unknown): unknown {
  const isNothing =
    (error instanceof ConnectionError && error.effect === "none") ||
    error instanceof CredentialError ||
    (error instanceof StatusError && (error.code === 429 || error.code === 401));
  return isNothing ? new ConnectionError(error.message, { effect: "maybe", cause: error }) : error;
}

/** Who gives up while it rests gets the error that it rested for. */
async function rest(ms: number, signal: AbortSignal, error: unknown): Promise<void> {
  try {
    await after(ms, undefined, { signal });
  } catch {
    throw error;
  }
}

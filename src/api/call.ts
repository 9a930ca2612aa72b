/** One request on its way through the server, once it is known who calls and for which tenant. */
import type { Readable } from "node:stream";

import type { Operation } from "#contract/operation.ts";
import type { OperationId } from "#contract/operations.ts";
import type { Db } from "#db/pool.ts";
import type { Observer } from "#observe/observer.ts";
import type { Authenticated } from "#identity/authenticate.ts";
import type { KnownKeys } from "#identity/known-keys.ts";

import type { Raw } from "./input.ts";
import type { Limits } from "./limits.ts";
import type { Services } from "./services.ts";
import type { Front, Visitor } from "./visitor.ts";

/** What all requests share. */
export interface Environment {
  readonly db: Db;
  readonly observer: Observer;
  readonly services: Services;
  readonly limits: Limits;
  readonly keys: KnownKeys;
  readonly front: Front;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export interface Caller {
  readonly authenticated: Authenticated;
  /** The tenant acted for. */
  readonly tenantId: string;
  /** SHA-256 of the `Idempotency-Key`, on mutations that carry one. */
  readonly idempotencyKeyHash: Buffer | undefined;
}

export interface Call extends Caller {
  readonly id: OperationId;
  readonly operation: Operation;
  readonly requestId: string;
}

/** What is left of the HTTP request besides its parsed input. */
export interface Incoming {
  readonly input: Raw;
  readonly signal: AbortSignal;
  readonly visitor: Visitor;
  /** Sent with the answer, if it is one. */
  readonly answerHeaders: Record<string, string>;
  readonly lastEventId: string | undefined;
  readonly contentType: string | undefined;
  readonly contentLength: number | undefined;
  readonly upload: Readable | undefined;
}

/**
 * What an operation's handler receives and returns. The server (server.ts) has by then parsed the
 * input, found out who calls, checked the permission, and opened the transaction; afterwards it
 * checks the answer against the contract, writes the audit row and the idempotency record in the
 * same transaction, and commits. A handler says no by throwing a `Failure`.
 *
 * A transaction may be repeated (serialization failures), so a handler touches nothing but `tx`
 * until it is certain to be the last word.
 */
import type { Readable } from "node:stream";

import type { BodyOf, Operation, ParamsOf, QueryOf, ResultOf } from "#contract/operation.ts";
import type { OperationId, Operations } from "#contract/operations.ts";
import type { Db, Tx } from "#db/pool.ts";
import type { Principal } from "#identity/authenticate.ts";
import type { Failure } from "#kernel/failure.ts";

import type { Services } from "./services.ts";
import type { Visitor } from "./visitor.ts";

export type { Principal };

/** For operations with the permission `public`: nobody is known, nothing is open. */
export interface PublicContext {
  readonly requestId: string;
  /** Aborted when the caller goes away, or when the server closes and the answer is a stream. */
  readonly signal: AbortSignal;
  readonly db: Db;
  readonly services: Services;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Another status than the contract's, where the contract cannot know it (readiness). */
  readonly answerWith: (status: number) => void;
  readonly visitor: Visitor;
  /** With the answer, if it is one: cookies. */
  readonly sendHeader: (name: string, value: string) => void;
}

export interface CallerContext extends PublicContext {
  readonly principal: Principal;
  /**
   * The tenant acted for: the caller's own, or the one that root names (id or name) in the header
   * `Millrace-Tenant`.
   */
  readonly tenantId: string;
}

/** For json operations. */
export interface Context extends CallerContext {
  /**
   * As the role `millrace_tenant` with row-level security for `tenantId`, except for operations of
   * the operator (`isOperatorOperation`). The one transaction of a mutation; for operations without
   * an audit name read-only, and each statement (or those asked for at once) by itself (reading.ts).
   */
  readonly tx: Tx;
  /**
   * For the audit row. The target is otherwise the values of the path, or the `id` of the result.
   * Never a secret.
   */
  readonly note: (entry: AuditNote) => void;
}

export interface AuditNote {
  /** It found what it asked for under way: nothing was changed, so there is no entry of it. */
  readonly unchanged?: boolean;
  readonly target?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  /** Of things that one request does many of: an entry for each, beside that of the whole. */
  readonly items?: readonly AuditItem[];
}

export interface AuditItem {
  /** As the contract names it where it is done alone. */
  readonly action: string;
  readonly target?: string;
  /** Why it was not done. */
  readonly refusal?: Failure;
  readonly details: Readonly<Record<string, unknown>>;
}

/** For streams, text, and handlers that wait: no transaction is held open meanwhile. */
export interface StreamContext extends CallerContext {
  /** Reads of the tenant. */
  readonly read: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
  /** For server-sent events: where the caller stopped reading. */
  readonly lastEventId: string | undefined;
}

/** For uploads: first the bytes without a transaction, then one that makes them count. */
export interface UploadContext<Result> extends StreamContext {
  /**
   * To be called once, after the whole body was read, with the mutation; it also writes the audit
   * row and the idempotency record. Throws when this upload was made before (the server then
   * answers from the record), so clean up in `finally`.
   */
  readonly commit: (
    work: (tx: Tx, note: (entry: AuditNote) => void) => Promise<Result>,
  ) => Promise<Result>;
}

/** The body of an upload; it fails with `payload_too_large` beyond the limit. */
export interface Upload {
  readonly stream: Readable;
  /** As the caller announced it; `undefined` when sent in chunks. */
  readonly contentLength: number | undefined;
  readonly contentType: string | undefined;
}

export interface Bytes {
  readonly contentType: string;
  readonly body: Readable | Uint8Array;
  readonly contentLength?: number;
  /** Makes it a download under this name. */
  readonly fileName?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Text {
  readonly contentType: string;
  readonly body: string;
  readonly fileName?: string;
}

export interface ServerEvent {
  /** Comes back as `Last-Event-ID` when the caller reconnects. */
  readonly id?: string;
  readonly event?: string;
  /** Sent as JSON. */
  readonly data: unknown;
}

export interface Input<O extends Operation> {
  readonly params: ParamsOf<O>;
  readonly query: QueryOf<O>;
  readonly body: O["requestTransport"] extends "bytes" ? Upload : BodyOf<O>;
}

export type ContextOf<O extends Operation> = O["permission"] extends "public"
  ? PublicContext
  : O["requestTransport"] extends "bytes"
    ? UploadContext<ResultOf<O>>
    : O["transport"] extends "json"
      ? Context
      : StreamContext;

interface AnswerOfTransport<Result> {
  json: Result;
  bytes: Bytes;
  text: Text;
  events: AsyncIterable<ServerEvent>;
}

export type AnswerOf<O extends Operation> = AnswerOfTransport<ResultOf<O>>[O["transport"]];

/**
 * A method's type, because those are compared bivariantly: that lets the server hold the handlers
 * of all operations in one table, each typed exactly where it is written.
 */
export type Handle<O extends Operation, C> = {
  method(input: Input<O>, context: C): Promise<AnswerOf<O>>;
}["method"];

/** A json read that may take long (`waitSeconds`): it holds no transaction. */
export interface WaitingHandler<O extends Operation> {
  readonly waits: true;
  readonly handle: Handle<O, StreamContext>;
}

/** The JSON of a body as it came, for a handler that need not parse what it reads faster itself. */
export interface JsonText<Body> {
  readonly bytes: Buffer;
  readonly text: string;
  /** Parsed and checked against the contract, as other handlers get it. Throws `invalid_request`. */
  readonly parse: () => Body;
}

/** A mutation whose body is large: nothing has parsed it before the handler does. */
export interface TextHandler<O extends Operation> {
  readonly waits: false;
  readonly readsText: true;
  readonly handle: TextHandle<O>;
}

type TextHandle<O extends Operation> = {
  method(
    input: Omit<Input<O>, "body"> & { readonly body: JsonText<BodyOf<O>> },
    context: ContextOf<O>,
  ): Promise<AnswerOf<O>>;
}["method"];

export type Handler<O extends Operation> =
  | Handle<O, ContextOf<O>>
  | WaitingHandler<O>
  | TextHandler<O>;

export type Handlers = { readonly [Id in OperationId]: Handler<Operations[Id]> };

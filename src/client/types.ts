/**
 * What a caller gives to an operation and what it gets, read off the contract's table: there is no
 * second list of operations here that could differ from it.
 */
import type { z } from "zod";

import type { ResultOf, Transport } from "#contract/operation.ts";
import type { OperationId, Operations } from "#contract/operations.ts";

/** A part without fields is written `strictObject({})` in the table: nobody has to give it. */
type WithFields<Schema> =
  Schema extends z.ZodObject<infer Shape> ? (keyof Shape extends never ? never : Schema) : never;
type WithContent<Schema> = Schema extends z.ZodUndefined ? never : Schema;

/** Left out when there is nothing to give; optional when every field is. */
type Part<Name extends string, Input> = [Input] extends [never]
  ? unknown
  : Partial<Input> extends Input
    ? { readonly [Key in Name]?: Input }
    : { readonly [Key in Name]: Input };

type InputOf<Schema> = [Schema] extends [never]
  ? never
  : Schema extends z.ZodType
    ? z.input<Schema>
    : never;

export type RequestOf<Id extends OperationId> = Part<
  "params",
  InputOf<WithFields<Operations[Id]["params"]>>
> &
  Part<"query", InputOf<WithFields<Operations[Id]["query"]>>> &
  Part<"body", InputOf<WithContent<NonNullable<Operations[Id]["body"]>>>>;

export type AnswerOf<Id extends OperationId> = ResultOf<Operations[Id]>;

/** Operations whose answer travels as `T`. */
export type OperationIdOver<T extends Transport> = {
  [Id in OperationId]: Operations[Id]["transport"] extends T ? Id : never;
}[OperationId];

/** JSON there and back. */
export type JsonOperationId = {
  [Id in OperationIdOver<"json">]: Operations[Id]["requestTransport"] extends "json" ? Id : never;
}[OperationIdOver<"json">];

/** Operations that answer in pages. */
export type PagedOperationId = {
  [Id in OperationId]: "next" extends keyof AnswerOf<Id> ? Id : never;
}[OperationId];

export type ItemOf<Id extends PagedOperationId> =
  AnswerOf<Id> extends { items: (infer Item)[] } ? Item : never;

export interface CallOptions {
  /** Ends the call, whose promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** For the whole call with its retries; for a stream, until its answer begins. */
  readonly timeoutMs?: number;
  /** For a POST; one is made when left out. The same key asks for the same effect. */
  readonly idempotencyKey?: string;
}

/** The request may be left out where nothing in it is required. */
export type Arguments<Id extends OperationId, Options = CallOptions> =
  Partial<RequestOf<Id>> extends RequestOf<Id>
    ? [request?: RequestOf<Id>, options?: Options]
    : [request: RequestOf<Id>, options?: Options];

/** A request whose operation is known only at run time, as the CLI's `api` command has it. */
export interface LooseRequest {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

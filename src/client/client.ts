/**
 * The typed client of the API, from the contract's table: what the API can do, it can do. It needs
 * nothing but `fetch`, so it runs in a browser as well as in the CLI.
 *
 * Every method throws `Failure`: `ApiFailure` for what the server refused, `unavailable` when it
 * cannot be reached, `timeout` when it does not answer. A POST carries an Idempotency-Key, and a
 * retry carries the same one, so an effect happens once however often the call is sent.
 */
import { z } from "zod";

import type { Operation } from "#contract/operation.ts";
import { operations, type OperationId } from "#contract/operations.ts";
import { assert } from "#kernel/assert.ts";
import { Failure } from "#kernel/failure.ts";

import { pagesOf, type PageOptions } from "./pages.ts";
import { ApiFailure, jsonOrUndefined } from "./problem.ts";
import { transmissionOf } from "./request.ts";
import { retryPolicy, type RetryPolicy } from "./retry.ts";
import { isGone, send, type Content, type Fetch } from "./send.ts";
import { createStreams, type Streams, type Transmit } from "./streams.ts";
import type {
  AnswerOf,
  Arguments,
  CallOptions,
  ItemOf,
  JsonOperationId,
  LooseRequest,
  PagedOperationId,
} from "./types.ts";

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8080`; a path before `/v1` is allowed. */
  readonly baseUrl: string;
  /** An API key. */
  readonly credential?: string;
  /** Id of the tenant that the operator acts for. */
  readonly tenant?: string;
  readonly fetch?: Fetch;
  readonly retry?: RetryPolicy;
  /** Until a call is answered, beside what it asks the server to wait (`waitSeconds`). */
  readonly timeoutMs?: number;
  /** Ends every call that has no signal of its own. */
  readonly signal?: AbortSignal;
}

export interface Client extends Streams {
  call<Id extends JsonOperationId>(id: Id, ...rest: Arguments<Id>): Promise<AnswerOf<Id>>;
  /** As `call`, for an operation that is known only at run time. */
  callLoose(id: OperationId, request?: LooseRequest, options?: CallOptions): Promise<unknown>;
  /** All items of all pages, up to `itemsMax`. */
  items<Id extends PagedOperationId>(
    id: Id,
    ...rest: Arguments<Id, PageOptions>
  ): AsyncGenerator<ItemOf<Id>, void, undefined>;
  itemsLoose(
    id: OperationId,
    request?: LooseRequest,
    options?: PageOptions,
  ): AsyncGenerator<unknown, void, undefined>;
  /** A `Blob` from `fs.openAsBlob` is read from the disk as it is sent, and can be sent again. */
  upload(
    id: "uploadFile",
    request: { readonly query: { readonly name: string }; readonly content: Content },
    options?: CallOptions,
  ): Promise<AnswerOf<"uploadFile">>;
}

const timeoutMsDefault = 30_000;
/** An upload takes as long as its bytes do; this ends one that stands still. */
const uploadTimeoutMs = 3_600_000;

export function createClient(options: ClientOptions): Client {
  const caller = {
    baseUrl: checkedBase(options.baseUrl),
    credential: options.credential,
    tenant: options.tenant,
  };
  const fetch: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));

  const transmit: Transmit = (id, request, call, extra, consume) => {
    const transmission = transmissionOf(caller, operations[id], request, {
      ...extra,
      idempotencyKey: call.idempotencyKey,
    });
    const limits = {
      timeoutMs: call.timeoutMs ?? (options.timeoutMs ?? timeoutMsDefault) + heldMs(request),
      signal: call.signal ?? options.signal,
      onUnanswered: extra.onUnanswered,
      retry: options.retry ?? retryPolicy,
    };
    return send(fetch, transmission, limits, consume);
  };

  function call<Id extends JsonOperationId>(id: Id, ...rest: Arguments<Id>): Promise<AnswerOf<Id>>;
  function call(id: OperationId, request?: LooseRequest, options?: CallOptions): Promise<unknown>;
  async function call(
    id: OperationId,
    request: LooseRequest = {},
    callOptions: CallOptions = {},
  ): Promise<unknown> {
    const operation: Operation = operations[id];
    assert(operation.transport === "json", `${id} answers in a stream`);
    assert(operation.requestTransport === "json", `${id} takes bytes: use upload`);
    let unanswered = false;
    const extra = {
      accept: jsonTypes,
      onUnanswered: () => {
        unanswered = true;
      },
    };
    try {
      return await transmit(id, request, callOptions, extra, (response) =>
        parsed(id, operation, response),
      );
    } catch (error) {
      const answer = anyway(id, error);
      if (answer !== undefined) return answer;
      // The deletion that an unanswered try did is not a failure of the next.
      if (unanswered && operation.status === 204 && isGone(error)) return undefined;
      throw error;
    }
  }

  function items<Id extends PagedOperationId>(
    id: Id,
    ...rest: Arguments<Id, PageOptions>
  ): AsyncGenerator<ItemOf<Id>, void, undefined>;
  function items(
    id: OperationId,
    request?: LooseRequest,
    options?: PageOptions,
  ): AsyncGenerator<unknown, void, undefined>;
  function items(
    id: OperationId,
    request: LooseRequest = {},
    pageOptions: PageOptions = {},
  ): AsyncGenerator<unknown, void, undefined> {
    return pagesOf((query) => call(id, { ...request, query }, pageOptions), request, pageOptions);
  }

  return {
    call,
    callLoose: call,
    items,
    itemsLoose: items,
    ...createStreams(transmit),
    upload(id, { query, content }, callOptions = {}) {
      const limited = { timeoutMs: uploadTimeoutMs, ...callOptions };
      const extra = { accept: jsonTypes, content };
      return transmit(id, { query }, limited, extra, async (response) =>
        operations[id].result.parse(await parsed(id, operations[id], response)),
      );
    },
  };
}

/** How long the server is asked to hold its answer back: only then does its time to answer begin. */
function heldMs({ query }: LooseRequest): number {
  const seconds = Number(query?.["waitSeconds"] ?? 0);
  return Number.isFinite(seconds) ? 1_000 * seconds : 0;
}

/** Readiness says `not_ready` with 503, and with its whole answer all the same. */
function anyway(id: OperationId, error: unknown): unknown {
  if (id !== "getReadiness" || !(error instanceof ApiFailure)) return undefined;
  const answer = operations[id].result.safeParse(jsonOrUndefined(error.body));
  return answer.success ? answer.data : undefined;
}

const jsonTypes = "application/json, application/problem+json";

async function parsed(id: OperationId, operation: Operation, response: Response): Promise<unknown> {
  const text = await response.text();
  if (operation.status === 204) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new Failure("internal", `The answer to ${id} is no JSON. Check the URL.`, { cause });
  }
  const result = operation.result.safeParse(json);
  if (result.success) return result.data;
  throw new Failure(
    "internal",
    `The answer to ${id} is not what this version understands. Is the server of the same version?\n${z.prettifyError(result.error)}`,
    { cause: result.error },
  );
}

function checkedBase(baseUrl: string): string {
  if (/^https?:\/\//.test(baseUrl) && URL.canParse(baseUrl)) return baseUrl;
  throw new Failure(
    "invalid_request",
    `${JSON.stringify(baseUrl.slice(0, 200))} is no URL of a server: write one such as http://127.0.0.1:8080.`,
  );
}

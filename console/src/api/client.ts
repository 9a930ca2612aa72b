/**
 * Calls of the API from the page: with the session's cookie, an Idempotency-Key on every POST that
 * stays the same when a lost call is sent again, and a time limit on each try. Types come from the
 * contract's table, paths from what the build took out of it.
 */
import { operations } from "virtual:operations";
import type { OperationId } from "#contract/operations.ts";
import type { Method } from "#contract/operation.ts";
import type {
  AnswerOf,
  Arguments,
  JsonOperationId,
  LooseRequest,
  OperationIdOver,
  RequestOf,
} from "#client/types.ts";
import { randomKey, tenantHeader, urlOf } from "#client/request.ts";
import { backoffMs, retryAfterMs, type RetryPolicy } from "#client/retry.ts";

import { actingTenant } from "./acting.ts";
import { ApiProblem, problemOf } from "./problem.ts";
import { reportAnswer, reportSessionEnd, reportSilence } from "./reach.ts";

export interface SendOptions {
  readonly signal?: AbortSignal;
  /** Of one try. */
  readonly timeoutMs?: number;
  readonly idempotencyKey?: string;
  /** For the operator: of this customer, whoever he acts for else. */
  readonly tenantId?: string | undefined;
  /** A 401 is an answer like others, not the end of the session: signing in itself. */
  readonly keepsSession?: boolean;
}

interface Sent extends SendOptions {
  readonly method: string;
  readonly url: string;
  readonly body?: unknown;
  readonly accept?: string;
  readonly lastEventId?: string;
  /** The stream that follows may take any time. */
  readonly isStream?: boolean;
}

const retry: RetryPolicy = { attemptsMax: 3, firstDelayMs: 300, delayMaxMs: 2000 };
const timeoutMsDefault = 30_000;
/** A longer wait is the person's to decide. */
const waitMsMax = 5000;

export async function call<Id extends JsonOperationId>(
  id: Id,
  ...rest: Arguments<Id, SendOptions>
): Promise<AnswerOf<Id>> {
  const [request, options] = rest;
  return callLoose(id, looseOf(request), options);
}

/** What fits an operation fits any of them; the compiler cannot see that through the generic type. */
export function looseOf<Id extends OperationId>(request: RequestOf<Id> | undefined): LooseRequest;
export function looseOf(request: LooseRequest = {}): LooseRequest {
  return request;
}

/** For the few callers that know the operation at run time only; the answer is what it is. */
export async function callLoose(
  id: OperationId,
  request: LooseRequest = {},
  options: SendOptions = {},
  // oxlint-disable-next-line typescript/no-explicit-any -- as JSON.parse: its shape is the contract's promise
): Promise<any> {
  const [method, , , takesBody] = operations[id];
  const response = await send({
    ...options,
    method,
    url: addressOf(id, request),
    ...(takesBody ? { body: request.body ?? {} } : {}),
  });
  const text = await response.text();
  return text === "" ? undefined : JSON.parse(text);
}

/** A file to keep, or bytes to look into. */
export async function bytes<Id extends OperationIdOver<"bytes">>(
  id: Id,
  ...rest: Arguments<Id, SendOptions>
): Promise<Response> {
  const [request, options] = rest;
  return streamLoose(id, looseOf(request), { ...options, accept: "*/*" });
}

/** The open answer of an operation that answers in events or bytes. */
export async function streamLoose(
  id: OperationId,
  request: LooseRequest = {},
  options: SendOptions & { readonly accept?: string; readonly lastEventId?: string } = {},
): Promise<Response> {
  const [method] = operations[id];
  return send({ ...options, method, url: addressOf(id, request), isStream: true });
}

/** Where the browser itself gets it: a link to download, an image. */
export function addressOf(id: OperationId, request: LooseRequest = {}): string {
  return urlOf("", operations[id][1], request);
}

export function methodOf(id: OperationId): Method {
  return operations[id][0];
}

export async function send(sent: Sent): Promise<Response> {
  const key = sent.method === "POST" ? (sent.idempotencyKey ?? randomKey()) : undefined;
  for (let attempt = 1; ; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one try after the other
    const outcome = await tryOnce(sent, key);
    if (outcome instanceof Response) return outcome;
    const delayMs =
      outcome.afterMs ??
      (outcome.problem.status === 0 ? backoffMs(retry, attempt, Math.random()) : undefined);
    if (delayMs === undefined || delayMs > waitMsMax || attempt >= retry.attemptsMax) {
      throw outcome.problem;
    }
    // oxlint-disable-next-line no-await-in-loop -- as above
    await pause(delayMs, sent.signal);
  }
}

interface Refused {
  readonly problem: ApiProblem;
  /** When the server says to come back. */
  readonly afterMs: number | undefined;
}

async function tryOnce(sent: Sent, key: string | undefined): Promise<Response | Refused> {
  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new DOMException("The server took too long.", "TimeoutError")),
    sent.timeoutMs ?? timeoutMsDefault,
  );
  const signals = [limit.signal, ...(sent.signal === undefined ? [] : [sent.signal])];
  try {
    const content = sent.body === undefined ? undefined : JSON.stringify(sent.body);
    const response = await fetch(sent.url, {
      method: sent.method,
      headers: headersOf(sent, key),
      signal: AbortSignal.any(signals),
      credentials: "same-origin",
      redirect: "error",
      cache: "no-store",
      ...(content === undefined ? {} : { body: content }),
    });
    if (response.ok) {
      reportAnswer();
      // Read whole inside the limit, so that an answer cut short counts as one that never came.
      return sent.isStream === true || response.status === 204
        ? response
        : new Response(await response.blob(), response);
    }
    const problem = await problemOf(response);
    if (problem.code === "strange_answer") reportSilence();
    else reportAnswer();
    if (problem.status === 401 && sent.keepsSession !== true) reportSessionEnd();
    const comeBack = response.status === 503 || response.status === 429;
    const afterMs = comeBack
      ? retryAfterMs(response.headers.get("retry-after"), Date.now())
      : undefined;
    return { problem, afterMs };
  } catch (error) {
    if (sent.signal?.aborted === true) throw sent.signal.reason;
    reportSilence();
    const message = error instanceof Error ? error.message : String(error);
    const problem = new ApiProblem({ status: 0, code: "unreachable", message, cause: error });
    return { problem, afterMs: undefined };
  } finally {
    clearTimeout(timer);
  }
}

function headersOf(sent: Sent, key: string | undefined): Record<string, string> {
  const tenantId = sent.tenantId ?? actingTenant()?.id;
  return {
    accept: sent.accept ?? "application/json",
    ...(sent.body === undefined ? {} : { "content-type": "application/json" }),
    ...(key === undefined ? {} : { "idempotency-key": key }),
    ...(tenantId === undefined ? {} : { [tenantHeader.toLowerCase()]: tenantId }),
    ...(sent.lastEventId === undefined || sent.lastEventId === ""
      ? {}
      : { "last-event-id": sent.lastEventId }),
  };
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((done, fail) => {
    signal?.throwIfAborted();
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      done();
    }, ms);
    const onAbort = (): void => {
      clearTimeout(timer);
      fail(signal?.reason instanceof Error ? signal.reason : new Error("aborted"));
    };
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/**
 * The agents' side, as HTTP without a server: inputs are given, logs and results taken, orders told with
 * each answer. An agent is no user: what it shows is the token of its attempt, which is good for nothing
 * else. Bodies of answers are for a shell and for whoever reads what `curl` wrote.
 */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";

import { Failure } from "#kernel/failure.ts";

import { attemptFiles, readAttempt, type OpenExchange } from "./exchange.ts";
import { isOwnId, orMissing, readText } from "./files.ts";
import { openInbox, usualInboxLimits, type InboxLimits, type Sender } from "./inbox.ts";
import { isToken, memberOf, parseOrder, type AttemptRecord } from "./record.ts";
import { orderLines, type Order } from "./rules.ts";

export interface AgentRequest {
  readonly method: string;
  /** Below where it is mounted: `/attempts/ATTEMPT/MEMBER/log`. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly contentLength: number | undefined;
  readonly body: Readable;
  /** Told whose request it is, once that is sure; throws if he has too many. */
  readonly admit: (who: string) => void;
}

export interface AgentAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Readable;
}

export type JobAgentRoutes = (request: AgentRequest) => Promise<AgentAnswer>;

/** Of one message about a log; the agent's script knows it too. */
export const logPostBytesMax = 262_144;
const busySeconds = 5;

const methods: Readonly<Record<string, string>> = { inputs: "GET", log: "POST", results: "PUT" };
const pathPattern = /^\/attempts\/([0-9a-f-]{36})\/([a-z0-9-]{1,253})\/(inputs|log|results)$/;
const lengthPattern = /^\d{1,15}$/;

export function jobAgentRoutes(
  exchange: OpenExchange,
  limits: InboxLimits = usualInboxLimits,
): JobAgentRoutes {
  const { places } = exchange;
  const inbox = openInbox(exchange, limits);

  const orderOf = async ({ attempt }: Sender): Promise<Order> =>
    parseOrder(await readText(attemptFiles(places, attempt.attemptId).order));

  const inputs = async ({ attempt, member }: Sender): Promise<AgentAnswer> => {
    if ((await readText(attemptFiles(places, attempt.attemptId).over)) !== undefined) {
      return words(410, "This attempt is over.");
    }
    if (member.inputsPath === undefined) return { status: 204 };
    const path = member.inputsPath;
    const file = await orMissing(() => open(path, "r"));
    // Not 404, which would say that nothing is to be run: it is to be, and cannot.
    if (file === undefined) return later(503, "The inputs cannot be found.");
    const { size } = await file.stat();
    return {
      status: 200,
      headers: { "content-type": "application/x-tar", "content-length": String(size) },
      body: createReadStream("", { fd: file }),
    };
  };

  const log = async (sender: Sender, request: AgentRequest): Promise<AgentAnswer> => {
    const offset = lengthIn(request.query, "offset");
    if (offset === undefined) return words(400, "Which offset?");
    const bytes = await bodyOf(request);
    if (bytes === undefined) return words(413, `At most ${logPostBytesMax} bytes at a time.`);
    const taken = await inbox.log(sender, { offset, bytes });
    if (taken === "disk_full") return full();
    if (taken === "removed") return unknown();
    return words(taken.gap ? 409 : 200, orderLines(await orderOf(sender), taken.wanted));
  };

  const results = async (sender: Sender, request: AgentRequest): Promise<AgentAnswer> => {
    const logBytes = lengthIn(request.query, "log");
    if (logBytes === undefined) return words(400, "How long is the log?");
    const { resultsBytesMax } = sender.attempt;
    const taken = await inbox.results(sender, { body: request.body, logBytes });
    switch (taken) {
      case "taken":
        return words(200, "");
      case "too_large":
        // In a word of ours: a proxy on the way has an answer of that number too.
        return words(413, `too_large ${resultsBytesMax}\n`);
      case "broken":
        return words(422, "The archive breaks off: send it again.");
      case "busy":
        return later(503, "Others are sending theirs.");
      case "disk_full":
        return full();
      case "removed":
        return unknown();
    }
    return words(409, orderLines(await orderOf(sender), taken.logFrom));
  };

  return async (request) => {
    const [, attemptId = "", memberName = "", what = ""] = pathPattern.exec(request.path) ?? [];
    if (what === "") return words(404, "There is nothing at this path.");
    const method = methods[what];
    if (request.method !== method) {
      return { ...words(405, `Here is ${method}.`), headers: { allow: method ?? "" } };
    }
    const attempt = isOwnId(attemptId) ? await readAttempt(places, attemptId) : undefined;
    if (attempt === undefined) return unknown();
    if (!isAuthorized(attempt, request.authorization)) {
      return {
        ...words(401, "This is not the token of this attempt."),
        headers: { "www-authenticate": "Bearer" },
      };
    }
    const member = memberOf(attempt, memberName);
    if (member === undefined) return words(404, "This attempt has no such member.");
    request.admit(`${attemptId}/${memberName}`);
    const sender = { attempt, member };
    if (what === "inputs") return inputs(sender);
    return what === "log" ? log(sender, request) : results(sender, request);
  };
}

function isAuthorized(attempt: AttemptRecord, header: string | undefined): boolean {
  const [, token] = /^Bearer ([\x21-\x7e]{1,512})$/iu.exec(header ?? "") ?? [];
  const sha256 = createHash("sha256")
    .update(token ?? "")
    .digest();
  return isToken(attempt, sha256) && token !== undefined;
}

function lengthIn(query: URLSearchParams, what: string): number | undefined {
  const text = query.get(what) ?? "";
  return lengthPattern.test(text) ? Number(text) : undefined;
}

/** `undefined` if it is longer than it may be. */
async function bodyOf({ body, contentLength }: AgentRequest): Promise<Buffer | undefined> {
  if ((contentLength ?? 0) > logPostBytesMax) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Not `for await`: leaving that would end the connection before the answer.
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
  body.on("data", (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes > logPostBytesMax) resolve(undefined);
    else chunks.push(chunk);
  });
  body.once("end", () => resolve(Buffer.concat(chunks)));
  const brokeOff = (cause?: Error): void => {
    reject(new Failure("invalid_request", "The message broke off.", { cause }));
  };
  body.once("error", brokeOff);
  body.once("close", brokeOff);
  return promise;
}

function words(status: number, text: string): AgentAnswer {
  return {
    status,
    headers: { "content-type": "text/plain; charset=utf-8" },
    body: text === "" || text.endsWith("\n") ? text : `${text}\n`,
  };
}

function later(status: number, text: string): AgentAnswer {
  const answer = words(status, text);
  return { ...answer, headers: { ...answer.headers, "retry-after": String(busySeconds) } };
}

function full(): AgentAnswer {
  return later(507, "The disk of the control plane is full.");
}

function unknown(): AgentAnswer {
  return words(404, "There is no such attempt.");
}

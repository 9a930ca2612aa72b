/**
 * The API on a database of its own, as a test file needs it: the operator, a customer, and a way to
 * ask. `ask` reads the answer whole; the rest is plain `fetch`.
 */
import { afterAll } from "vitest";
import { z } from "zod";

import type { Handlers } from "#api/handler.ts";
import type { Limits } from "#api/limits.ts";
import { createServer, type ServerOptions } from "#api/server.ts";
import type { Services } from "#api/services.ts";
import type { Role } from "#contract/operation.ts";
import type { Db } from "#db/pool.ts";
import { insertApiKey } from "#identity/api-keys.ts";
import { ensureOperator, type OperatorCredential } from "#identity/operator.ts";
import { createTenant, type OpenedTenant } from "#identity/tenants.ts";
import { insertUser } from "#identity/users.ts";
import { createObserver, type Observer } from "#observe/observer.ts";

import { emptyServices } from "./api-services.ts";
import { testDatabase } from "./database.ts";

export { emptyServices } from "./api-services.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed, where it is JSON. */
  readonly body: unknown;
}

export interface Ask {
  readonly secret?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestApi {
  readonly db: Db;
  readonly url: string;
  readonly operator: OperatorCredential;
  readonly customer: OpenedTenant;
  readonly clock: { now: number };
  /** Lines of the log, as objects. */
  readonly logged: Record<string, unknown>[];
  readonly ask: (method: string, path: string, ask?: Ask) => Promise<Answer>;
  /** A key of a new user with this role. */
  readonly keyOf: (
    role: Role,
    tenantId?: string,
  ) => Promise<{ userId: string; keyId: string; secret: string }>;
  /** What the server knows of keys is read anew: for rows that a test changes by itself. */
  readonly secondLater: () => void;
  readonly close: () => Promise<void>;
}

export interface TestApiOptions {
  readonly handlers?: Partial<Handlers>;
  readonly limits?: Partial<Limits>;
  readonly services?: Partial<Services>;
  readonly upgrade?: NonNullable<ServerOptions["upgrade"]>;
  readonly pages?: NonNullable<ServerOptions["pages"]>;
  readonly jobAgent?: NonNullable<ServerOptions["jobAgent"]>;
}

let users = 0;

export async function testApi(options: TestApiOptions = {}): Promise<TestApi> {
  const { db } = await testDatabase();
  const clock = { now: Date.parse("2026-05-04T10:00:00.000Z") };
  const operator = await db.transaction((tx) => ensureOperator(tx, clock.now));
  if (operator === undefined) throw new Error("the database was not empty");
  const customer = await db.transaction((tx) =>
    createTenant(tx, { name: "customer", now: clock.now }),
  );
  const { observer, logged } = listeningObserver();
  let skewMs = 0;
  const server = createServer({
    db,
    observer,
    services: { ...emptyServices, ...options.services },
    handlers: options.handlers ?? {},
    now: () => clock.now,
    monotonicMs: () => performance.now() + skewMs,
    limits: { drainMs: 2000, ...options.limits },
    ...(options.upgrade === undefined ? {} : { upgrade: options.upgrade }),
    ...(options.pages === undefined ? {} : { pages: options.pages }),
    ...(options.jobAgent === undefined ? {} : { jobAgent: options.jobAgent }),
  });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= server.close());
  afterAll(close);

  return {
    db,
    url,
    operator,
    customer,
    clock,
    logged,
    close,
    secondLater: () => {
      skewMs += 1000;
    },
    ask: (method, path, ask) => answerOf(`${url}${path}`, method, ask),
    keyOf: async (role, tenantId = role === "root" ? operator.tenantId : customer.tenant.id) =>
      db.transaction(async (tx) => {
        users += 1;
        const now = clock.now;
        const user = await insertUser(tx, { tenantId, name: `${role} ${users}`, role, now });
        const key = {
          tenantId,
          userId: user.id,
          name: "k",
          scope: "all",
          expiresAt: null,
          now,
        } as const;
        const { id, secret } = await insertApiKey(tx, key);
        return { userId: user.id, keyId: id, secret };
      }),
  };
}

async function answerOf(url: string, method: string, ask: Ask = {}): Promise<Answer> {
  const { secret, body } = ask;
  const headers: Record<string, string> = {};
  if (secret !== undefined) headers["authorization"] = `Bearer ${secret}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...ask.headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "") && text !== "";
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  };
}

const line = z.record(z.string(), z.unknown());

function listeningObserver(): { observer: Observer; logged: Record<string, unknown>[] } {
  const logged: Record<string, unknown>[] = [];
  const destination = {
    write: (text: string): void => {
      logged.push(line.parse(JSON.parse(text)));
    },
  };
  return { observer: createObserver({ level: "debug", destination }), logged };
}

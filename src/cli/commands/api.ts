/** `api`: any operation of the API, from the same table that the server is made of. */
import type { Command } from "commander";
import { z } from "zod";

import { define, flag, manyFlag, optionalArgument, type Shell } from "#cli/define.ts";
import { openFile, pour, readTextFile } from "#cli/files.ts";
import { jsonOrUndefined } from "#cli/json.ts";
import type { Session } from "#cli/session.ts";
import { table } from "#cli/table.ts";
import { pairs } from "#cli/values.ts";
import type { LooseRequest } from "#client/types.ts";
import type { Operation } from "#contract/operation.ts";
import { operations, type OperationId } from "#contract/operations.ts";
import { Failure } from "#kernel/failure.ts";

const apiOptions = z.object({
  list: flag("--list", "all operations", z.boolean().default(false)),
  schema: flag(
    "--schema",
    "what the operation takes and gives, as JSON Schema",
    z.boolean().default(false),
  ),
  param: manyFlag("--param <name=value>", "a value in the path; may be repeated", pairs),
  query: manyFlag("--query <name=value>", "a value in the query; may be repeated", pairs),
  body: flag(
    "--body <json>",
    "the body: JSON, or @file ('@-' is stdin); for an upload, the file itself",
    z.string().optional(),
  ),
  all: flag("--all", "all pages of a list", z.boolean().default(false)),
  idempotencyKey: flag(
    "--idempotency-key <key>",
    "for a POST: the same key asks for the same effect",
    z.string().optional(),
  ),
});

type ApiOptions = z.output<typeof apiOptions>;

export function addApi(program: Command, shell: Shell): void {
  define(program, shell, {
    usage: "api [operation]",
    summary: "Call any operation of the API; the answer is JSON",
    args: optionalArgument,
    options: apiOptions,
    examples: [
      "millrace api --list",
      "millrace api createLease --schema",
      "millrace api getLease --param leaseId=0190c2b4-7abc-7000-8000-000000000001",
      `millrace api createLease --body '{"name":"web","flavor":"small"}'`,
      "millrace api listLeases --query state=running --all",
    ],
    act: async (session, [text], options) => {
      if (options.list || text === undefined) {
        await showList(session);
        return;
      }
      const id = operationNamed(text);
      if (options.schema) await showSchema(session, id);
      else await call(session, id, options);
    },
  });
}

async function call(session: Session, id: OperationId, options: ApiOptions): Promise<void> {
  const { client, out, signal } = session;
  const operation: Operation = operations[id];
  const request = { params: options.param, query: options.query };
  const limits = {
    signal,
    ...(options.idempotencyKey === undefined ? {} : { idempotencyKey: options.idempotencyKey }),
  };
  if (operation.requestTransport === "bytes") {
    const { name } = z.object({ name: z.string() }).parse({ name: "", ...options.query });
    const content = await rawBody(options.body);
    await show(session, await client.upload("uploadFile", { query: { name }, content }, limits));
    return;
  }
  switch (operation.transport) {
    case "bytes": {
      await pour(out, (await client.bytesLoose(id, request, limits)).chunks);
      return;
    }
    case "text":
      await out.write(await client.textLoose(id, request, limits));
      return;
    case "events":
      for await (const event of client.eventsLoose(id, request, { signal })) {
        await out.write(`${JSON.stringify({ ...event, data: jsonOrUndefined(event.data) })}\n`);
      }
      return;
    case "json": {
      const body = options.body === undefined ? {} : { body: await jsonBody(options.body) };
      const whole: LooseRequest = { ...request, ...body };
      if (!options.all) {
        await show(session, await client.callLoose(id, whole, limits));
        return;
      }
      const items: unknown[] = [];
      for await (const item of client.itemsLoose(id, whole, limits)) items.push(item);
      await show(session, { items });
    }
  }
}

async function show(session: Session, value: unknown): Promise<void> {
  const text = (): string => (value === undefined ? "" : `${JSON.stringify(value, null, 2)}\n`);
  await session.out.show({ value, ids: idsIn(value), text });
}

const identified = z.looseObject({ id: z.string() });
const listed = z.looseObject({ items: z.array(z.unknown()) });

function idsIn(value: unknown): string[] {
  const list = listed.safeParse(value);
  const each = list.success ? list.data.items : [value];
  return each.flatMap((item) => {
    const one = identified.safeParse(item);
    return one.success ? [one.data.id] : [];
  });
}

async function showList(session: Session): Promise<void> {
  const items = Object.entries(operations).map(([id, { method, path, permission, summary }]) => ({
    id,
    method,
    path,
    permission,
    summary,
  }));
  await session.out.show({
    value: { items },
    ids: items.map((item) => item.id),
    text: () =>
      table(
        [
          { title: "OPERATION", cell: (item) => item.id },
          { title: "METHOD", cell: (item) => item.method },
          { title: "PATH", cell: (item) => item.path },
          { title: "NEEDS", cell: (item) => item.permission },
          { title: "SUMMARY", cell: (item) => item.summary },
        ],
        items,
      ),
  });
}

async function showSchema(session: Session, id: OperationId): Promise<void> {
  const { method, path, summary, permission, params, query, body, result }: Operation =
    operations[id];
  const value = {
    operation: id,
    method,
    path,
    summary,
    permission,
    params: described(params, "input"),
    query: described(query, "input"),
    body: described(body, "input"),
    result: described(result, "output"),
  };
  await session.out.write(`${JSON.stringify(value, null, 2)}\n`);
}

function described(schema: z.ZodType | undefined, io: "input" | "output"): unknown {
  return schema === undefined ? null : z.toJSONSchema(schema, { io, unrepresentable: "any" });
}

function operationNamed(text: string): OperationId {
  const wanted = text.toLowerCase();
  const ids = Object.keys(operations).filter(isOperationId);
  const exact = ids.find((id) => id.toLowerCase() === wanted);
  if (exact !== undefined) return exact;
  const near = ids.filter((id) => id.toLowerCase().includes(wanted)).slice(0, 8);
  const hint = near.length === 0 ? "See: millrace api --list" : `Did you mean ${near.join(", ")}?`;
  throw new Failure("not_found", `The API has no operation ${JSON.stringify(text)}. ${hint}`);
}

function isOperationId(text: string): text is OperationId {
  return Object.hasOwn(operations, text);
}

async function jsonBody(given: string): Promise<unknown> {
  const text = given.startsWith("@") ? await readTextFile(given.slice(1)) : given;
  const value = jsonOrUndefined(text);
  if (value !== undefined) return value;
  throw new Failure("invalid_request", "--body is no JSON. For a file, write --body @file.");
}

async function rawBody(given: string | undefined): Promise<Blob> {
  if (given?.startsWith("@") === true) return openFile(given.slice(1));
  throw new Failure("invalid_request", "An upload needs its file: --body @file.");
}

/** One request to the server: who asks, what may go wrong, what is asked, the answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as rest } from "node:timers/promises";

import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { isObject, type JsonObject } from "#test/kube/schema-node.ts";

import { actOnInstance, actOnMachine, askOf } from "./actions.ts";
import { type Document, resourceOf } from "./document.ts";
import type { Faults } from "./faults.ts";
import { metricsAt } from "./metrics.ts";
import type { Objects, Place, Write } from "./objects.ts";
import type { Pages } from "./pages.ts";
import { badRequest, noSuchResource, notAcceptable, notFound, Refusal } from "./refusal.ts";
import { readRemoval, remove } from "./removal.ts";
import { discovery, kindOf, readRoute, type Route } from "./route.ts";
import type { Validation } from "./validation.ts";
import { serveWatch, type WatchParts } from "./watches.ts";

export interface ServeParts extends WatchParts {
  readonly objects: Objects;
  readonly pages: Pages;
  readonly faults: Faults;
  /** Throws `Refusal` 401. */
  readonly signedIn: (request: IncomingMessage) => void;
  readonly noted: (request: string) => void;
}

/** More than this is refused unread, as the real one does. */
const requestBytesMax = 3 * 1024 * 1024;

interface Answered {
  readonly code: number;
  readonly body: unknown;
  readonly warnings?: readonly string[];
}

export async function serve(
  parts: ServeParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const url = new URL(request.url ?? "/", "http://here");
    const route = readRoute(url.pathname);
    const verb = request.method ?? "GET";
    const resource =
      route?.plural === undefined
        ? url.pathname
        : resourceOf({ group: route.group, plural: route.plural });
    parts.noted(`${url.searchParams.has("watch") ? "WATCH" : verb} ${resource}`);
    parts.signedIn(request);
    const fate = parts.faults.strike({ verb, resource });
    if (parts.faults.latencyMs > 0) await rest(parts.faults.latencyMs);
    const body = await readBody(request);
    const kind = route === undefined ? undefined : kindOf(parts.objects.store.kinds, route);
    if (verb === "GET" && kind !== undefined && url.searchParams.get("watch") === "true") {
      const asked = { kind, namespace: route?.namespace, query: url.searchParams };
      serveWatch(parts, asked, response);
      return;
    }
    const metrics = verb === "GET" ? metricsAt(parts.objects, route) : undefined;
    if (metrics !== undefined) {
      response.writeHead(200, { "content-type": "text/plain; version=0.0.4" });
      response.end(metrics);
      return;
    }
    const asked = { verb, url, body, request };
    const { warnings = [], ...told } = answer(parts, route, asked);
    const answered = { ...told, warnings: [...warnings, ...parts.faults.warnings] };
    if (fate === "lose") request.socket.destroy();
    else send(response, answered, fate);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refuse(response, error);
  }
}

interface Asked {
  readonly verb: string;
  readonly url: URL;
  readonly body: JsonObject;
  readonly request: IncomingMessage;
}

function answer(parts: ServeParts, route: Route | undefined, asked: Asked): Answered {
  const { objects, pages } = parts;
  const told = discovery(objects.store.kinds, asked.url.pathname);
  if (told !== undefined) return { code: 200, body: told };
  if (route === undefined) throw noSuchResource();
  if (route.group === "subresources.kubevirt.io") return answerAction(objects, route, asked);
  const kind = kindOf(objects.store.kinds, route);
  if (kind === undefined) throw noSuchResource();
  const { namespace, name } = route;
  if (name !== undefined)
    return answerObject(objects, kind, { ...asked, place: { namespace, name }, route });
  if (asked.verb === "GET") {
    return { code: 200, body: pages.list(kind, namespace, asked.url.searchParams) };
  }
  if (asked.verb !== "POST") throw noSuchResource();
  return kept(objects.create(kind, namespace, asked.body, writeOf(asked)));
}

function answerObject(
  objects: Objects,
  kind: Kind,
  asked: Asked & { readonly place: Place; readonly route: Route },
): Answered {
  const { verb, place, body, route, request } = asked;
  if (route.below !== undefined && route.below !== "status") {
    return answerEviction(objects, kind, asked);
  }
  const write = {
    ...writeOf(asked),
    ...(route.below === "status" ? ({ subresource: "status" } as const) : {}),
  };
  switch (verb) {
    case "GET": {
      const found = objects.store.get(kind, place);
      if (found === undefined) throw notFound(kind, place.name);
      return { code: 200, body: found };
    }
    case "PUT":
      return kept(objects.update(kind, place, body, write));
    case "PATCH": {
      const type = (request.headers["content-type"] ?? "").split(";")[0];
      if (type === "application/apply-patch+yaml") {
        return kept(objects.apply(kind, place, body, write));
      }
      if (type === "application/merge-patch+json") {
        return kept(objects.patch(kind, place, body, write));
      }
      const message = `the body of the request was in an unknown format - ${type}`;
      throw new Refusal({ code: 415, reason: "UnsupportedMediaType", message });
    }
    case "DELETE":
      return { code: 200, body: remove(objects, kind, place, readRemoval(body)) };
    default:
      throw noSuchResource();
  }
}

/** `POST pods/NAME/eviction` deletes the pod; what forbids it is for the node side to say. */
function answerEviction(
  objects: Objects,
  kind: Kind,
  { verb, place, route }: Asked & { readonly place: Place; readonly route: Route },
): Answered {
  if (kind.plural !== "pods" || route.below !== "eviction" || verb !== "POST") {
    throw noSuchResource();
  }
  for (const refuseEviction of objects.evictions) refuseEviction(place);
  remove(objects, kind, place, { propagation: "Background" });
  return { code: 201, body: { kind: "Status", apiVersion: "v1", status: "Success" } };
}

function answerAction(objects: Objects, route: Route, asked: Asked): Answered {
  const { verb, body, request } = asked;
  const { plural, namespace, name, below: action } = route;
  if (name === undefined || action === undefined) throw noSuchResource();
  // KubeVirt names no form in which it answers these, and who takes some forms alone gets none.
  if (verb === "PUT" && !(request.headers.accept ?? "*/*").includes("*/*")) throw notAcceptable();
  const act = { place: { namespace, name }, action, body };
  const of = plural === "virtualmachines" ? "machine" : "machineInstance";
  if (verb === "GET") return { code: 200, body: askOf(objects, of, act) };
  if (verb !== "PUT") throw noSuchResource();
  if (plural === kinds.machine.plural) actOnMachine(objects, act);
  else actOnInstance(objects, act);
  return { code: 202, body: "" };
}

function kept({ document, created, warnings }: ReturnType<Objects["apply"]>): Answered {
  const body = document.metadata.resourceVersion === "" ? unkept(document) : document;
  return { code: created ? 201 : 200, body, warnings };
}

/** What a dry run would make has no version, and the field is not there. */
function unkept(document: Document): object {
  const { resourceVersion: _, ...metadata } = document.metadata;
  return { ...document, metadata };
}

function writeOf({ url, request }: Asked): Write {
  const query = url.searchParams;
  const manager =
    query.get("fieldManager") ?? (request.headers["user-agent"] ?? "unknown").split("/")[0] ?? "";
  return {
    manager,
    validation: readValidation(query.get("fieldValidation")),
    dryRun: query.get("dryRun") === "All",
    force: query.get("force") === "true",
  };
}

function readValidation(said: string | null): Validation {
  if (said === null || said === "Warn") return "Warn";
  if (said === "Strict" || said === "Ignore") return said;
  throw badRequest(`fieldValidation must be Ignore, Warn or Strict, not ${said}`);
}

async function readBody(request: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    const part: Buffer = chunk;
    bytes += part.length;
    if (bytes <= requestBytesMax) chunks.push(part);
  }
  if (bytes > requestBytesMax) {
    const message = `Request entity too large: limit is ${requestBytesMax}`;
    throw new Refusal({ code: 413, reason: "RequestEntityTooLarge", message });
  }
  const text = Buffer.concat(chunks).toString("utf8");
  if (text.trim() === "") return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (isObject(parsed)) return parsed;
  } catch {
    // Said below.
  }
  throw badRequest("the body is no JSON object");
}

function send(
  response: ServerResponse,
  { code, body, warnings = [] }: Answered,
  fate: "answer" | "cut",
): void {
  const text = body === "" ? "" : JSON.stringify(body);
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", Buffer.byteLength(text));
  if (warnings.length > 0)
    response.setHeader(
      "warning",
      warnings.map((each) => `299 - ${JSON.stringify(each)}`),
    );
  response.writeHead(code);
  if (fate === "answer") response.end(text);
  else response.write(text.slice(0, text.length / 2), () => response.destroy());
}

function refuse(response: ServerResponse, refusal: Refusal): void {
  const seconds = refusal.retryAfterSeconds;
  if (seconds !== undefined) response.setHeader("retry-after", String(seconds));
  response.setHeader("content-type", "application/json");
  response.writeHead(refusal.code);
  response.end(JSON.stringify(refusal.status));
}

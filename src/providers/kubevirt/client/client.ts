/**
 * A Kubernetes API server, as the driver uses it: reads, server-side apply, watches and streams. What
 * must stay true:
 *
 * - `undefined` and "absent" mean that the server answered and does not have the object; a kind that
 *   it does not know is an error, never an absence.
 * - A create or an action is sent once. After a ConnectionError with effect `maybe`, look.
 * - What is applied is checked strictly: a field that the server does not know is refused, not dropped.
 *
 * Errors are those of `errors.ts`; nothing else is thrown.
 */
import type { Duplex, Readable } from "node:stream";
import { z } from "zod";

import { Calls } from "./calls.ts";
import type { Cluster } from "./cluster.ts";
import { StatusError } from "./errors.ts";
import { apiVersion, collectionPath, type Kind, type ObjectName, objectPath } from "./kind.ts";
import { listAll, type ObjectList, type Selection } from "./list.ts";
import { type KubeObject, type NewObject, readObject } from "./object.ts";
import {
  type ApplyCall,
  type ClientLimits,
  clientLimits,
  type DeleteCall,
  fieldManager,
  type KubeCall,
  type WriteCall,
  type Written,
} from "./options.ts";
import { readAs } from "./read-as.ts";
import { openStream } from "./stream.ts";
import { watchAll, type WatchEvent } from "./watch.ts";

export class KubeClient {
  readonly #calls: Calls;
  readonly #limits: ClientLimits;

  /** `hear` is told what the server says beside any answer, each time; must not throw. */
  constructor(
    cluster: Cluster,
    limits: ClientLimits = clientLimits,
    hear?: (warning: string) => void,
  ) {
    this.#calls = new Calls(cluster, limits.calls, hear);
    this.#limits = limits;
  }

  async get({ signal }: KubeCall, kind: Kind, name: ObjectName): Promise<KubeObject | undefined> {
    try {
      const path = objectPath(kind, name);
      const { body } = await this.#calls.send({ method: "GET", path }, read(signal));
      return readAs((value) => readNamed(value, kind, name), body);
    } catch (error) {
      if (isAbsence(error, name.name)) return undefined;
      throw error;
    }
  }

  /** All of them as they were at one moment; for thousands, `watch` costs less in the long run. */
  list({ signal }: KubeCall, kind: Kind, selection: Selection = {}): Promise<ObjectList> {
    return listAll(this.#calls, { kind, selection, limits: this.#limits.list }, signal);
  }

  /** See `watch.ts`. Leave the loop, or abort the signal, to end it. */
  watch(
    { signal }: KubeCall,
    kind: Kind,
    asked: { readonly selection?: Selection; readonly from?: string } = {},
  ): AsyncGenerator<WatchEvent, void, undefined> {
    const { selection = {}, from } = asked;
    const limits = { limits: this.#limits.watch, listLimits: this.#limits.list };
    return watchAll(
      this.#calls,
      { kind, selection, ...limits, ...(from === undefined ? {} : { from }) },
      signal,
    );
  }

  /** Fails (409, AlreadyExists) if it is there. Sent once, whatever happens. */
  async create(call: WriteCall, kind: Kind, object: NewObject): Promise<Written> {
    const path = collectionPath(kind, object.metadata.namespace);
    const body = { type: "application/json", text: JSON.stringify(object) };
    const exchange = { method: "POST", path, query: writeQuery(call), body } as const;
    return written(await this.#calls.send(exchange, { ...call, repeatable: false }));
  }

  /** Server-side apply: these fields are ours and have these values; creates it if it is not there. */
  async apply(call: ApplyCall, kind: Kind, object: NewObject): Promise<Written> {
    const { namespace, name } = object.metadata;
    const at = namespace === undefined ? { name } : { namespace, name };
    const force = call.force === undefined ? undefined : "true";
    const exchange = {
      method: "PATCH",
      path: objectPath(kind, at, call.subresource),
      query: { ...writeQuery(call), force },
      body: { type: "application/apply-patch+yaml", text: JSON.stringify(object) },
    } as const;
    return written(await this.#calls.send(exchange, { ...call, repeatable: true }));
  }

  /**
   * RFC 7386: null removes. With `metadata.resourceVersion` in it, only if nobody changed the object
   * since (StatusError 409). `undefined` if the object is not there.
   */
  async patch(
    call: WriteCall,
    kind: Kind,
    change: {
      readonly name: ObjectName;
      readonly patch: Readonly<Record<string, unknown>>;
      readonly subresource?: "status";
    },
  ): Promise<Written | undefined> {
    const exchange = {
      method: "PATCH",
      path: objectPath(kind, change.name, change.subresource),
      query: writeQuery(call),
      body: { type: "application/merge-patch+json", text: JSON.stringify(change.patch) },
    } as const;
    try {
      return written(await this.#calls.send(exchange, { ...call, repeatable: true }));
    } catch (error) {
      if (isAbsence(error, change.name.name)) return undefined;
      throw error;
    }
  }

  /** `deleted` means that it is going; finalizers may hold it for a while. */
  async delete(call: DeleteCall, kind: Kind, name: ObjectName): Promise<"deleted" | "absent"> {
    const { uid, propagation = "Background", graceSeconds, dryRun } = call;
    const options = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      propagationPolicy: propagation,
      ...(uid === undefined ? {} : { preconditions: { uid } }),
      ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
      ...(dryRun === undefined ? {} : { dryRun: ["All"] }),
    };
    const body = { type: "application/json", text: JSON.stringify(options) };
    const exchange = { method: "DELETE", path: objectPath(kind, name), body } as const;
    try {
      await this.#calls.send(exchange, { signal: call.signal, repeatable: true });
      return "deleted";
    } catch (error) {
      if (isAbsence(error, name.name)) return "absent";
      throw error;
    }
  }

  /** Something is done to an object: `start`, `migrate`, `eviction`. Sent once, unless twice is as once. */
  async act(
    { signal }: KubeCall,
    kind: Kind,
    action: {
      readonly name: ObjectName;
      readonly action: string;
      readonly method?: "PUT" | "POST";
      readonly body?: Readonly<Record<string, unknown>>;
      readonly repeatable?: true;
    },
  ): Promise<unknown> {
    const { name, method = "PUT", body = {}, repeatable = false } = action;
    const text = JSON.stringify(body);
    const path = objectPath(kind, name, action.action);
    const exchange = { method, path, body: { type: "application/json", text } };
    return (await this.#calls.send(exchange, { signal, repeatable })).body;
  }

  /** Something is asked of an object: `guestosinfo`, `expand-spec`, `status`. */
  async ask({ signal }: KubeCall, kind: Kind, name: ObjectName, what: string): Promise<unknown> {
    const path = objectPath(kind, name, what);
    return (await this.#calls.send({ method: "GET", path }, read(signal))).body;
  }

  /** Bytes as they come: the log of a pod, a picture of a screen. The caller destroys it. */
  bytes(
    { signal }: KubeCall,
    kind: Kind,
    from: {
      readonly name: ObjectName;
      readonly what: string;
      readonly query?: Readonly<Record<string, string>>;
    },
  ): Promise<Readable> {
    const { name, what, query = {} } = from;
    return this.#calls.open({ method: "GET", path: objectPath(kind, name, what), query }, signal);
  }

  /** Bytes both ways: `console`, `vnc`, `portforward/22/tcp`. */
  stream({ signal }: KubeCall, kind: Kind, name: ObjectName, what: string): Promise<Duplex> {
    return openStream(this.#calls.connection, objectPath(kind, name, what), signal);
  }

  /** Plural names of what the server has in the kind's group and version; none if it lacks that. */
  async served({ signal }: KubeCall, kind: Kind): Promise<ReadonlySet<string>> {
    const path = kind.group === "" ? `/api/${kind.version}` : `/apis/${apiVersion(kind)}`;
    try {
      const { body } = await this.#calls.send({ method: "GET", path }, read(signal));
      const { resources } = readAs((value) => resourceList.parse(value), body);
      return new Set(resources.map(({ name }) => name));
    } catch (error) {
      if (error instanceof StatusError && error.code === 404) return new Set();
      throw error;
    }
  }

  /** Versions by group, of all but the first group, which has no name. */
  async groups({ signal }: KubeCall): Promise<ReadonlyMap<string, readonly string[]>> {
    const { body } = await this.#calls.send({ method: "GET", path: "/apis" }, read(signal));
    const { groups } = readAs((value) => groupList.parse(value), body);
    return new Map(
      groups.map(({ name, versions }) => [name, versions.map(({ version }) => version)]),
    );
  }

  /** As the server says it: `v1.36.2`. */
  async version({ signal }: KubeCall): Promise<string> {
    const { body } = await this.#calls.send({ method: "GET", path: "/version" }, read(signal));
    return readAs((value) => serverVersion.parse(value), body).gitVersion;
  }

  close(): void {
    this.#calls.close();
  }
}

const resourceList = z.object({ resources: z.array(z.object({ name: z.string() })) });
const groupList = z.object({
  groups: z.array(
    z.object({ name: z.string(), versions: z.array(z.object({ version: z.string() })) }),
  ),
});
const serverVersion = z.object({ gitVersion: z.string() });

function readNamed(value: unknown, { kind }: Kind, { name }: ObjectName): KubeObject {
  const object = readObject(value);
  if (object.kind === kind && object.metadata.name === name) return object;
  throw new Error(`asked for ${kind} ${name}, told of ${object.kind} ${object.metadata.name}`);
}

function read(signal: AbortSignal): { signal: AbortSignal; repeatable: true } {
  return { signal, repeatable: true };
}

function writeQuery({ dryRun }: WriteCall): Record<string, string | undefined> {
  return {
    fieldManager,
    fieldValidation: "Strict",
    dryRun: dryRun === undefined ? undefined : "All",
  };
}

function written({ body, warnings }: { body: unknown; warnings: readonly string[] }): Written {
  return { object: readAs(readObject, body), warnings };
}

/** A 404 that names the object is about the object; one that does not is about its kind. */
function isAbsence(error: unknown, name: string): boolean {
  return error instanceof StatusError && error.code === 404 && error.objectName === name;
}

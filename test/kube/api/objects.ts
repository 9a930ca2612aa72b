/**
 * Writes as the server does them: with versions, generations, owners of fields, defaults, checks, and
 * nothing kept in a dry run. Both the API and the scripted node side write through this.
 */
import { randomUUID } from "node:crypto";

import { apiVersion, type Kind } from "#providers/kubevirt/client/kind.ts";
import type { JsonObject } from "#test/kube/schema-node.ts";

import type { Document, ManagedFields, Metadata } from "./document.ts";
import { at, equal, mergePatch, objectAt, textAt, withAt } from "./json.ts";
import type { MergeRules } from "./merge-rules.ts";
import { newNamespace, readMetadata } from "./metadata.ts";
import { applied, updatedOwners, type Writer } from "./ownership.ts";
import { alreadyExists, badRequest, conflict, forbidden, notFound } from "./refusal.ts";
import type { Store } from "./store.ts";
import { checked, checkHead, type Validation } from "./validation.ts";

export interface Place {
  readonly namespace?: string | undefined;
  readonly name: string;
}

export interface Write {
  readonly manager: string;
  readonly validation: Validation;
  readonly dryRun?: boolean;
  readonly subresource?: "status";
  readonly force?: boolean;
}

export interface Kept {
  readonly document: Document;
  readonly created: boolean;
  readonly warnings: readonly string[];
}

/** Throws `Refusal` if the object may not be; called before it is kept. */
export type Admission = (
  kind: Kind,
  change: { readonly before: Document | undefined; readonly after: Document },
) => void;

export interface ObjectsParts {
  readonly store: Store;
  readonly rules: MergeRules;
  readonly now: () => number;
  readonly namespaceKind: Kind;
}

export class Objects {
  readonly store: Store;
  readonly admissions = new Set<Admission>();
  /** Asked before a pod is evicted; they throw `Refusal` 429 if it may not be now. */
  readonly evictions = new Set<(pod: Place) => void>();
  readonly #parts: ObjectsParts;

  constructor(parts: ObjectsParts) {
    this.#parts = parts;
    this.store = parts.store;
  }

  /** Epoch milliseconds. */
  epoch(): number {
    return this.#parts.now();
  }

  now(): string {
    return new Date(this.#parts.now()).toISOString().replace(/\.\d+Z$/, "Z");
  }

  create(kind: Kind, namespace: string | undefined, input: JsonObject, write: Write): Kept {
    checkHead(kind, input, { namespace });
    const prefix = textAt(input, "metadata", "generateName");
    const asked = textAt(input, "metadata", "name");
    const name = asked === "" && prefix !== "" ? prefix + randomUUID().slice(0, 5) : asked;
    if (name === "") throw badRequest("name or generateName is required");
    checkHead(kind, input, { namespace, name });
    if (this.store.get(kind, { namespace, name }) !== undefined) throw alreadyExists(kind, name);
    const bare = this.#empty(kind, { namespace, name });
    const after =
      kind === this.#parts.namespaceKind
        ? newNamespace(name, input)
        : withAt(input, ["status"], undefined);
    return this.#keep(kind, { before: undefined, bare, after }, write);
  }

  /** PUT: all of it but what has an address of its own. */
  update(kind: Kind, place: Place, input: JsonObject, write: Write): Kept {
    checkHead(kind, input, place);
    const before = this.#existing(kind, place);
    const after =
      write.subresource === undefined
        ? withAt(input, ["status"], before["status"])
        : withAt(before, ["status"], input["status"]);
    checkVersion(kind, before, input);
    return this.#keep(kind, { before, bare: before, after }, write);
  }

  /** RFC 7386. */
  patch(kind: Kind, place: Place, change: JsonObject, write: Write): Kept {
    const before = this.#existing(kind, place);
    checkVersion(kind, before, change);
    const { subresource } = write;
    const part = subresource === undefined ? withAt(change, ["status"], undefined) : change;
    const patched = objectAt({ all: mergePatch(before, part) }, "all");
    const after =
      subresource === undefined ? patched : withAt(before, ["status"], patched["status"]);
    return this.#keep(kind, { before, bare: before, after }, write);
  }

  apply(kind: Kind, place: Place, input: JsonObject, write: Write): Kept {
    checkHead(kind, input, place);
    if (textAt(input, "apiVersion") === "" || textAt(input, "kind") === "") {
      throw badRequest("an applied object says its apiVersion and kind");
    }
    if (at(input, "metadata", "managedFields") !== undefined) {
      throw badRequest("metadata.managedFields must be nil");
    }
    const before = this.store.get(kind, place);
    if (before === undefined && write.subresource !== undefined) throw notFound(kind, place.name);
    if (before !== undefined) checkVersion(kind, before, input);
    const bare = before ?? this.#empty(kind, place);
    const part =
      write.subresource === undefined
        ? withAt(input, ["status"], undefined)
        : { apiVersion: input["apiVersion"], kind: input["kind"], status: input["status"] };
    const outcome = applied({
      kind,
      node: this.#parts.rules.of(kind),
      live: before ?? bare,
      liveOwners: before?.metadata.managedFields ?? [],
      applied: part,
      writer: this.#writer(write, "Apply"),
      force: write.force === true,
    });
    const { managedFields } = outcome;
    const isNew = before === undefined && kind === this.#parts.namespaceKind;
    const after = isNew ? newNamespace(place.name, outcome.object) : outcome.object;
    return this.#keep(kind, { before, bare, after, managedFields }, write);
  }

  #existing(kind: Kind, place: Place): Document {
    const found = this.store.get(kind, place);
    if (found === undefined) throw notFound(kind, place.name);
    return found;
  }

  #empty(kind: Kind, { namespace, name }: Place): Document {
    const metadata: Metadata = {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: randomUUID(),
      resourceVersion: "",
      generation: 1,
      creationTimestamp: this.now(),
    };
    return { apiVersion: apiVersion(kind), kind: kind.kind, metadata };
  }

  #writer(write: Write, operation: Writer["operation"]): Writer {
    const { manager, subresource } = write;
    const part = subresource === undefined ? {} : { subresource };
    return { manager, operation, time: this.now(), ...part };
  }

  /** Checks it, and keeps it if it is another than before. */
  #keep(
    kind: Kind,
    change: {
      before: Document | undefined;
      bare: Document;
      after: JsonObject;
      managedFields?: readonly ManagedFields[];
    },
    write: Write,
  ): Kept {
    const { before, bare } = change;
    const { rules } = this.#parts;
    if (before === undefined) this.#checkNamespace(kind, bare.metadata);
    const head = { apiVersion: bare.apiVersion, kind: bare.kind };
    const inside = write.validation === "none";
    const whole = { ...change.after, ...head };
    const { object, warnings } = checked(rules.schemas, {
      kind,
      object: inside ? whole : rules.schemas.defaulted(whole),
      validation: write.validation,
    });
    // Nobody applies a status that the inside writes, so its owners are not worth their time.
    const unowned = inside && write.subresource !== undefined;
    const managedFields =
      change.managedFields ??
      (unowned ? before?.metadata.managedFields : undefined) ??
      updatedOwners({
        kind,
        node: rules.of(kind),
        before: before ?? {},
        owners: before?.metadata.managedFields ?? [],
        after: object,
        writer: this.#writer(write, "Update"),
      });
    const metadata = readMetadata(bare.metadata, object["metadata"], managedFields);
    const next = { ...object, ...head, metadata };
    if (before !== undefined && equal(next, before)) {
      return { document: before, created: false, warnings };
    }
    const generation =
      metadata.generation + (before !== undefined && !sameSpec(before, next) ? 1 : 0);
    const document: Document = { ...next, metadata: { ...metadata, generation } };
    for (const admit of this.admissions) admit(kind, { before, after: document });
    if (write.dryRun === true) return { document, created: before === undefined, warnings };
    const kept = this.store.put(kind, document);
    if (isDone(kept)) this.store.remove(kind, kept);
    return { document: kept, created: before === undefined, warnings };
  }

  #checkNamespace(kind: Kind, { namespace, name }: Metadata): void {
    if (!kind.namespaced) return;
    if (namespace === undefined) throw badRequest(`${kind.kind} needs a namespace`);
    const { namespaceKind } = this.#parts;
    const found = this.store.get(namespaceKind, { name: namespace });
    if (found === undefined) throw notFound(namespaceKind, namespace);
    if (found.metadata.deletionTimestamp === undefined) return;
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const cause = { reason: "NamespaceTerminating", message: why, field: "metadata.namespace" };
    throw forbidden(kind, name, why, [cause]);
  }
}

/** Deleted, and held by nobody any more. */
function isDone({ metadata, ...rest }: Document): boolean {
  const { deletionTimestamp, finalizers = [] } = metadata;
  const held = rest.kind === "Namespace" || rest.kind === "Pod";
  return deletionTimestamp !== undefined && finalizers.length === 0 && !held;
}

function sameSpec(before: Document, after: Document): boolean {
  const { metadata: _before, status: _statusBefore, ...left } = before;
  const { metadata: _after, status: _statusAfter, ...right } = after;
  return equal(left, right);
}

/** Who names a version means that one and no other. */
function checkVersion(kind: Kind, before: Document, input: JsonObject): void {
  const { name, resourceVersion, uid } = before.metadata;
  const saidUid = textAt(input, "metadata", "uid");
  if (saidUid !== "" && saidUid !== uid) {
    throw conflict(
      kind,
      name,
      `Precondition failed: UID in precondition: ${saidUid}, UID in object meta: ${uid}`,
    );
  }
  const said = textAt(input, "metadata", "resourceVersion");
  if (said !== "" && said !== resourceVersion) {
    const why =
      "the object has been modified; please apply your changes to the latest version and try again";
    throw conflict(kind, name, why);
  }
}

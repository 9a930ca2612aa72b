/**
 * All objects of a kind, page by page, as they were at one resource version. A page that comes too
 * late (410: its version is gone) begins the list again; what was read of the old one is thrown away.
 */
import type { Calls } from "./calls.ts";
import { ConnectionError, RefusedError, StatusError } from "./errors.ts";
import { apiVersion, collectionPath, type Kind } from "./kind.ts";
import { type KubeObject, readPage } from "./object.ts";
import { readAs } from "./read-as.ts";

export interface Selection {
  /** All namespaces if absent. */
  readonly namespace?: string;
  /** As kubectl takes it: `millrace.dev/owner=a,tier in (gold,diamond)`. */
  readonly labels?: string;
  readonly fields?: string;
}

export interface ObjectList {
  readonly items: readonly KubeObject[];
  /** A watch from here misses nothing. */
  readonly resourceVersion: string;
}

export interface ListLimits {
  readonly pageItems: number;
  readonly itemsMax: number;
  /** How often a list may begin again; a list that never ends within its version's life is too long. */
  readonly restartsMax: number;
}

export const listLimits: ListLimits = { pageItems: 500, itemsMax: 200_000, restartsMax: 5 };

export function selectionQuery(selection: Selection): Record<string, string | undefined> {
  return { labelSelector: selection.labels, fieldSelector: selection.fields };
}

/** A part of a list as it comes: what reads a list so never holds all of it. */
export interface ListedPage {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  /** What came before is of a list that expired, or there was none. */
  readonly isFirst: boolean;
  /** From here on all that there is at this version has been told. */
  readonly isLast: boolean;
}

export interface ListAsked {
  readonly kind: Kind;
  readonly selection: Selection;
  readonly limits: ListLimits;
}

export async function listAll(
  calls: Calls,
  asked: ListAsked,
  signal: AbortSignal,
): Promise<ObjectList> {
  let items: KubeObject[] = [];
  let resourceVersion = "";
  for await (const page of listPages(calls, asked, signal)) {
    if (page.isFirst) items = [];
    items.push(...page.items);
    ({ resourceVersion } = page);
  }
  return { items, resourceVersion };
}

/** Begins again, with a first page, when the version of the list is gone before all was told. */
export async function* listPages(
  calls: Calls,
  asked: ListAsked,
  signal: AbortSignal,
): AsyncGenerator<ListedPage, void, undefined> {
  for (let restart = 0; ; restart += 1) {
    try {
      yield* listOnce(calls, asked, signal);
      return;
    } catch (error) {
      const expired = error instanceof StatusError && error.code === 410;
      if (!expired || restart >= asked.limits.restartsMax) throw error;
    }
  }
}

async function* listOnce(
  calls: Calls,
  { kind, selection, limits }: ListAsked,
  signal: AbortSignal,
): AsyncGenerator<ListedPage, void, undefined> {
  const of = { apiVersion: apiVersion(kind), kind: kind.kind };
  let listed = 0;
  let next: string | undefined;
  for (;;) {
    const query = {
      ...selectionQuery(selection),
      limit: String(limits.pageItems),
      continue: next,
    };
    const exchange = {
      method: "GET",
      path: collectionPath(kind, selection.namespace),
      query,
    } as const;
    const { body } = await calls.send(exchange, { signal, repeatable: true });
    const page = readAs((value) => readPage(value, of), body);
    listed += page.items.length;
    if (listed > limits.itemsMax) {
      throw new RefusedError(`there are more than ${limits.itemsMax} ${kind.plural}`);
    }
    if (page.next !== undefined && page.next === next) {
      throw new ConnectionError("the list does not go on: the same page twice", { effect: "none" });
    }
    const { items, resourceVersion } = page;
    yield { items, resourceVersion, isFirst: next === undefined, isLast: page.next === undefined };
    if (page.next === undefined) return;
    next = page.next;
  }
}

/**
 * For the operator: the customer for whom he acts in this tab. Every call names it, so it is kept
 * with the tab and shown in the header, never silently.
 */
import { createStore, type Store } from "./store.ts";

export interface Acting {
  readonly id: string;
  /** As people call him. */
  readonly name: string;
  readonly timeZone: string;
}

const storageKey = "millrace.acting";

export const acting: Store<Acting | undefined> = createStore(stored());

export function actingTenant(): Acting | undefined {
  return acting.get();
}

/** Answers are kept by the tenant that they are of, so nothing of one is shown for another. */
export function actFor(tenant: Acting | undefined): void {
  if (tenant === undefined) sessionStorage.removeItem(storageKey);
  else sessionStorage.setItem(storageKey, JSON.stringify(tenant));
  acting.set(tenant);
}

function stored(): Acting | undefined {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(storageKey) ?? "null");
    if (typeof value !== "object" || value === null) return undefined;
    if (!("id" in value) || !("name" in value) || !("timeZone" in value)) return undefined;
    const { id, name, timeZone } = value;
    if (typeof id !== "string" || typeof name !== "string") return undefined;
    return typeof timeZone === "string" ? { id, name, timeZone } : undefined;
  } catch {
    return undefined;
  }
}

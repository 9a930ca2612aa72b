/**
 * For the operator: the customer for whom he acts in this tab. Every call names it, so it is kept
 * with the tab and shown in the header, never silently.
 */
import { createStore, type Store } from "./store.ts";

export interface Acting {
  readonly id: string;
  readonly name: string;
}

const storageKey = "millrace.acting";

export const acting: Store<Acting | undefined> = createStore(stored());

export function actingTenant(): Acting | undefined {
  return acting.get();
}

/** Whoever calls this also forgets what was read for another tenant (`queryClient.clear()`). */
export function actFor(tenant: Acting | undefined): void {
  if (tenant === undefined) sessionStorage.removeItem(storageKey);
  else sessionStorage.setItem(storageKey, JSON.stringify(tenant));
  acting.set(tenant);
}

function stored(): Acting | undefined {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(storageKey) ?? "null");
    if (typeof value !== "object" || value === null) return undefined;
    if (!("id" in value) || !("name" in value)) return undefined;
    const { id, name } = value;
    return typeof id === "string" && typeof name === "string" ? { id, name } : undefined;
  } catch {
    return undefined;
  }
}

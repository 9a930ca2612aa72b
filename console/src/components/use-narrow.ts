/** Whether the screen is too narrow for tables; the same bound as in layout.css. */
import { useSyncExternalStore } from "react";

const query = globalThis.matchMedia("(max-width: 48em)");

function subscribe(listener: () => void): () => void {
  query.addEventListener("change", listener);
  return () => query.removeEventListener("change", listener);
}

export function useIsNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => query.matches);
}

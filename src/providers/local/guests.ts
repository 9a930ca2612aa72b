import type { ServeGuest } from "./keeper.ts";
import type { Guest } from "./power.ts";
import type { Site } from "./site.ts";

export interface Guests extends Guest {
  readonly serve: ServeGuest;
}

export function createGuests(_site: Site): Guests {
  const nothing = (): Promise<void> => Promise.resolve();
  return { serve: nothing, shutDown: nothing, sync: nothing, refresh: nothing, takeUp: nothing };
}

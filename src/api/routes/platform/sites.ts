/** The operator's word that a site is gone for good. */
import type { Handlers } from "#api/handler.ts";
import { time } from "#api/routes/wire.ts";
import { retireSite } from "#flow/provision/site-ends.ts";

export const siteHandlers = {
  retireSite: async ({ params }, { tx, now, note }) => {
    const { site, retiredAt, hosts, unchanged } = await retireSite(tx, params.name, now());
    note({ unchanged, target: site, details: { hosts } });
    return { site, retiredAt: time(retiredAt), hosts };
  },
} satisfies Partial<Handlers>;

import type { Handlers } from "#api/handler.ts";
import { time } from "#api/routes/wire.ts";

export const systemHandlers = {
  getSystem: {
    // Asks the platforms, which may take a while; no transaction waits for them.
    waits: true,
    handle: async (_input, { services, signal }) => {
      const { system } = services;
      const [sites, waits, findings] = await Promise.all([
        system.sites(signal),
        system.waits(signal),
        system.findings(signal),
      ]);
      const { version, startedAt } = system;
      const loops = system.loops();
      return { version, startedAt: time(startedAt), sites, loops, waits, findings };
    },
  },
} satisfies Partial<Handlers>;

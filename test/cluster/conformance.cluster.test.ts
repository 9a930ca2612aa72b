/** The suite that every driver passes, on a cluster that is there. */
import { describe } from "vitest";

import { present } from "#kernel/assert.ts";
import { conformance } from "#providers/conformance.ts";
import { decorate } from "#providers/decorate.ts";
import { KubevirtProvider } from "#providers/kubevirt/driver/provider.ts";

import type { Provider } from "#providers/provider.ts";

import { newOwner, smallMachine, underTest } from "./under-test.ts";

const { cluster, settings, skip, fakeNodes } = await underTest();

function open(): Provider {
  return decorate(new KubevirtProvider({ settings, cluster, now: Date.now }));
}

describe.skipIf(fakeNodes)("on nodes that run machines", () => {
  conformance("kubevirt", {
    create: async () => {
      let provider = open();
      const { items } = await provider.hosts({ signal: AbortSignal.timeout(60_000) });
      const host = present(
        items.find(({ state }) => state === "up"),
        "a node on which virt-handler is up; without any, --fake-nodes runs a part",
      );
      const owner = newOwner();
      return {
        provider,
        owner,
        spec: (overrides) => ({
          ...smallMachine(settings, { hostId: host.id, owner }),
          ...overrides,
        }),
        // A cluster tells whole seconds.
        timings: { readyMs: 1_200_000, operationMs: 300_000, tickMs: 1_000 },
        restart: async () => {
          await provider.close();
          provider = open();
          return provider;
        },
        close: () => provider.close(),
      };
    },
    skips: skip.map((test) => ({ test, because: "left out by who ran it" })),
  });
});

/** Power and its evidence: what metering and billing rest on. */
import { expect } from "vitest";

import type { Bench } from "./rig.ts";
import type { Check } from "./record.ts";

/** How soon a listener hears of a machine that died (issue: seen within 2 s). */
const noticeMs = 2_000;

export const powerChecks: readonly Check[] = [
  {
    id: "power-cycle",
    title: "stops and starts, with evidence of since when and why",
    run: async (bench) => {
      const { provider } = bench;
      const on = await bench.resident();
      const call = bench.call();
      const ref = await provider.power(call, on.id, { to: "stop" });
      await bench.done(ref);
      const off = await bench.stopped(on.id);
      expect(off.stop?.reason).toBe("requested");
      expect(off.powerSince).toBeGreaterThan(on.powerSince);
      expect(off.powerSince).toBeLessThanOrEqual(off.power.at);
      expect(off.guest.ready).toBe(false);

      // Again, by the same and by another operation: nothing moves.
      expect(await provider.power(call, on.id, { to: "stop" })).toEqual(ref);
      await bench.done(await provider.power(bench.call(), on.id, { to: "stop" }));
      expect((await bench.machine(on.id)).powerSince).toBe(off.powerSince);

      await bench.done(await provider.power(bench.call(), on.id, { to: "start" }));
      const again = await bench.ready(on.id);
      expect(again.powerSince).toBeGreaterThanOrEqual(off.powerSince);
      expect(again.power.value).toBe("running");
      await bench.done(await provider.power(bench.call(), on.id, { to: "start" }));
      expect((await bench.machine(on.id)).powerSince).toBe(again.powerSince);
      // The old operation, asked once more, must not stop what was started since.
      await provider.power(call, on.id, { to: "stop" });
      expect((await bench.machine(on.id)).power.value).toBe("running");
    },
  },
  {
    id: "shutdown",
    title: "shuts a guest down when asked, which is not the guest's own doing",
    run: async (bench) => {
      const { id } = await bench.resident();
      const action = { to: "shutdown", graceSeconds: 20 } as const;
      await bench.done(await bench.provider.power(bench.call(), id, action));
      const off = await bench.stopped(id, 20_000 + bench.rig.timings.operationMs);
      expect(off.stop?.reason).toBe("requested");
    },
  },
  {
    id: "guest-shutdown",
    title: "tells a guest that shut itself down",
    run: async (bench) => {
      const { shutDownFromInside } = bench.rig;
      if (shutDownFromInside === undefined) {
        bench.because = "this test has no way into the guest";
        return;
      }
      const on = await bench.resident();
      await shutDownFromInside(on.id);
      const off = await bench.stopped(on.id);
      expect(off.stop?.reason).toBe("guest");
      expect(off.powerSince).toBeGreaterThan(on.powerSince);
    },
  },
  {
    id: "crash",
    title: "nudges within 2 s of a crash, tells it apart, and starts again",
    run: async (bench) => {
      const { crash } = bench.rig;
      if (crash === undefined) {
        bench.because = "this test cannot kill a machine of this platform";
        return;
      }
      const on = await bench.resident();
      const nudged = nextChangeOf(bench, on.id);
      await crash(on.id);
      await nudged;
      const off = await bench.stopped(on.id, noticeMs);
      expect(off.stop?.reason).toBe("crashed");
      expect(off.stop?.detail).not.toBe("");
      expect(off.powerSince).toBeGreaterThan(on.powerSince);
      expect((await bench.resident()).stop).toBeUndefined();
    },
  },
  {
    id: "changes-end",
    title: "ends the stream of changes when the listener gives up",
    run: async (bench) => {
      const listening = new AbortController();
      const stream = bench.provider.changes({ signal: listening.signal })[Symbol.asyncIterator]();
      const next = drained(stream);
      listening.abort();
      await next;
    },
  },
  {
    id: "reboot",
    title: "reboots without a gap in its power",
    run: async (bench) => {
      const before = await bench.resident();
      await bench.done(await bench.provider.power(bench.call(), before.id, { to: "reboot" }));
      const after = await bench.ready(before.id);
      expect(after.power.value).toBe("running");
      expect(after.powerSince).toBe(before.powerSince);
    },
  },
  {
    id: "pause",
    title: "pauses and resumes",
    run: async (bench) => {
      const { provider } = bench;
      const { id, powerSince } = await bench.resident();
      const { capabilities } = await provider.info(bench.read);
      const pause = () => provider.power(bench.call(), id, { to: "pause" });
      if (!(await bench.can(capabilities.pause, pause))) return;
      await bench.done(await pause());
      const paused = await bench.machine(id);
      expect(paused.power.value).toBe("paused");
      expect(paused.powerSince).toBeGreaterThan(powerSince);
      await bench.done(await provider.power(bench.call(), id, { to: "resume" }));
      expect((await bench.ready(id)).power.value).toBe("running");
    },
  },
];

async function nextChangeOf(bench: Bench, id: string): Promise<void> {
  const heard = new AbortController();
  const timer = setTimeout(() => {
    heard.abort();
  }, noticeMs);
  try {
    for await (const changed of bench.provider.changes({ signal: heard.signal })) {
      if (changed === id) return;
    }
    throw new Error(`nobody said within ${noticeMs} ms that machine ${id} changed`);
  } finally {
    clearTimeout(timer);
    heard.abort();
  }
}

async function drained(stream: AsyncIterator<string>): Promise<void> {
  for (;;) {
    if ((await stream.next()).done === true) return;
  }
}

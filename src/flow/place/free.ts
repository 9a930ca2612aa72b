/** How many more of a shape fit at this moment: places one after the other on paper. Pure. */
import { gibibyte, mebibyte, milliCpusOf } from "#kernel/shape.ts";

import type { PlaceAsk } from "./ask.ts";
import { place } from "./decide.ts";
import type { HostState } from "./host-state.ts";

/** Enough to say "plenty". */
const countMax = 1000;

export interface Fit {
  readonly count: number;
  readonly hostIds: readonly string[];
  readonly isolation: "hard" | "soft" | "none";
}

export function howManyFit(hosts: readonly HostState[], ask: PlaceAsk): Fit {
  let count = 0;
  const hostIds: string[] = [];
  const isolations = new Set<"hard" | "soft">();
  for (const host of hosts) {
    let state = host;
    for (;;) {
      if (count >= countMax) break;
      const answer = place([state], ask);
      if (!answer.placed) break;
      count += 1;
      for (const device of host.devices) {
        if (answer.deviceIds.includes(device.id)) isolations.add(device.isolation);
      }
      state = withPlaced(state, ask, answer.deviceIds);
    }
    if (state !== host) hostIds.push(host.id);
  }
  const isolation = isolations.has("soft") ? "soft" : isolations.has("hard") ? "hard" : "none";
  return { count, hostIds, isolation };
}

/** The host as it is once the request stands there. */
export function withPlaced(
  host: HostState,
  { tenantId, shape, pinned }: PlaceAsk,
  deviceIds: readonly string[],
): HostState {
  const { hugePages } = shape;
  return {
    ...host,
    milliCpusUsed: host.milliCpusUsed + milliCpusOf(shape),
    memoryBytesUsed: host.memoryBytesUsed + shape.memoryMiB * mebibyte,
    diskBytesUsed: host.diskBytesUsed + (pinned === undefined ? shape.diskGiB * gibibyte : 0),
    hugePagesMiBUsed:
      hugePages === "none"
        ? host.hugePagesMiBUsed
        : {
            ...host.hugePagesMiBUsed,
            [hugePages]: host.hugePagesMiBUsed[hugePages] + shape.memoryMiB,
          },
    devices: host.devices.map((device) =>
      deviceIds.includes(device.id)
        ? {
            ...device,
            slice: shape.gpu?.slice ?? 1,
            claims: device.claims + 1,
            tenants: [...device.tenants, tenantId],
          }
        : device,
    ),
    antiAffineTenants: shape.antiAffinity
      ? [...host.antiAffineTenants, tenantId]
      : host.antiAffineTenants,
  };
}

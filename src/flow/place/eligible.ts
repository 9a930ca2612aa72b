/**
 * On which hosts might it ever lie, however full they are now? Pure. What hosts have is the planner's
 * business; this is about whom they are for: state, pool, labels, taints, and what it keeps near to or
 * away from.
 */
import type { Where } from "#flow/queue/work.ts";

import { workOfAsk, type PlaceAsk } from "./ask.ts";
import { hasImage } from "./host-images.ts";
import type { HostState } from "./host-state.ts";
import { wallOf } from "./walls.ts";

const taintPrefix = "taint/";

export class Eligibility {
  readonly #hosts: readonly HostState[];
  readonly #known = new Map<string, Where>();

  constructor(hosts: readonly HostState[]) {
    this.#hosts = hosts;
  }

  of(ask: PlaceAsk): Where {
    const { shape, image, pinned, only, not } = ask;
    const key = JSON.stringify([
      ask.tenantId,
      workOfAsk(ask),
      image ?? 0,
      shape.pool,
      shape.serviceClass,
      shape.hostLabels,
      shape.tolerations,
      shape.gpu?.slice ?? 1,
      pinned?.hostId ?? 0,
      only ?? 0,
      not ?? 0,
    ]);
    let where = this.#known.get(key);
    if (where === undefined) {
      const hostIds = this.#hosts.filter((host) => mayLieOn(host, ask)).map(({ id }) => id);
      where = { key, hostIds: new Set(hostIds) };
      this.#known.set(key, where);
    }
    return where;
  }
}

function mayLieOn(host: HostState, ask: PlaceAsk): boolean {
  const { tenantId, shape, image, pinned, only, not } = ask;
  if (!host.up || host.awaySince !== null) return false;
  if (only !== undefined && !only.includes(host.id)) return false;
  if (not !== undefined && not.includes(host.id)) return false;
  if (pinned !== undefined) return pinned.hostId === host.id;
  if (!host.schedulable || wallOf(host.pool, { tenantId, shape }) !== undefined) return false;
  return (
    host.refuses[workOfAsk(ask)] === undefined &&
    (image === undefined || hasImage(host, image)) &&
    Object.entries(shape.hostLabels).every(([label, value]) => host.labels[label] === value) &&
    Object.keys(host.labels).every(
      (label) =>
        !label.startsWith(taintPrefix) ||
        shape.tolerations.includes(label.slice(taintPrefix.length)),
    )
  );
}

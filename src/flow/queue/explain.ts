/** Why an entry waits, in words and numbers. */
import type { Reason } from "#kernel/reason.ts";

import type { Waiting } from "./work.ts";

/** `unitsPerWhole` as in the snapshot that it was planned from. */
export function reasonOf({ position, obstacle }: Waiting, unitsPerWhole = 1): Reason {
  switch (obstacle.kind) {
    case "senseless":
      return {
        code: "senseless",
        message: "It asks for no whole number of units, or for no time to run.",
      };
    case "limit":
      return obstacle.reason;
    case "never": {
      const [needed, largest] = [obstacle.needed, obstacle.largest].map((n) => n / unitsPerWhole);
      return {
        code: "fits_never",
        message: `It needs ${needed} units together; a host has ${largest} at most and the pool has no room for it even when empty.`,
        details: { needed, largest },
      };
    }
    case "reserved": {
      const { startsAt } = obstacle;
      const needed = obstacle.needed / unitsPerWhole;
      return {
        code: "reserved",
        message: `Room for its ${needed} units is kept; it is free at ${new Date(startsAt).toISOString()} at the latest, by the limits of what runs there.`,
        details: { needed, startsAt, position },
      };
    }
    case "kept": {
      const { until } = obstacle;
      const needed = obstacle.needed / unitsPerWhole;
      return {
        code: "would_delay",
        message: `${needed} units are free, but it may run beyond ${new Date(until).toISOString()}, when they are kept for work before it. A shorter limit may start it now.`,
        details: { needed, until, position },
      };
    }
    case "full": {
      const needed = obstacle.needed / unitsPerWhole;
      const free = obstacle.free.reduce((sum, units) => sum + units, 0) / unitsPerWhole;
      const largest = obstacle.free.reduce((most, n) => Math.max(most, n), 0) / unitsPerWhole;
      return {
        code: "no_room",
        message: `It needs ${needed} units; ${free} are free, at most ${largest} of them on one host, and it is number ${position} in line.`,
        details: { needed, free, largest, position },
      };
    }
  }
}

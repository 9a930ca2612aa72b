/** A lease as a person reads it. */
import type { Lease } from "#contract/schemas/compute.ts";
import { Failure } from "#kernel/failure.ts";

import { adviceFields, noteFields } from "./advice.ts";
import { besideFields } from "./beside.ts";
import { fields } from "./table.ts";
import { because, lineFields, money, none, shape, time } from "./text.ts";

const atNextStart =
  "takes effect at the next start, with the price here; until then the size that it has is billed";

/** After something was done: what it is now, how long that took, how to get in. */
export function leaseSummary(lease: Lease, took: string): string {
  const tellsHow = lease.state === "running" && lease.execution !== "kvm";
  const how = tellsHow && lease.execution !== null ? ` (${lease.execution})` : "";
  const [endpoint] = lease.endpoints;
  const lines = [
    `${lease.name} is ${lease.state}${took === "" ? "" : ` ${took}`}${how}.`,
    ...(lease.reason === null ? [] : [because(lease.reason)]),
    ...(lease.pendingResize ? [`The new size ${atNextStart}.`] : []),
    ...(lease.state === "running" && endpoint !== undefined
      ? [`Log in with: millrace ssh ${lease.name}   (or: ${endpoint.command})`]
      : []),
    ...(lease.state === "released"
      ? []
      : [
          `It costs ${money(lease.price.hourly)} per hour ${lease.pendingResize ? "from then on" : "while it runs"}.`,
        ]),
  ];
  return `${lines.join("\n")}\n`;
}

/** A note that a restart is due tells of the new size too. */
function tellsOfRestart({ notes }: Lease): boolean {
  return notes.some(({ code }) => code === "restart_required");
}

/** `idle`: what happens to it when nobody uses it. */
export function leaseText(lease: Lease, idle: string | undefined): string {
  const [endpoint] = lease.endpoints;
  return fields([
    ["Name", lease.name],
    ["State", lease.state],
    ["Why", lease.reason === null ? undefined : because(lease.reason)],
    ...adviceFields(lease.reason),
    ...noteFields(lease.notes),
    ...lineFields(lease.line),
    ["Flavor", shape(lease.flavor)],
    ["Image", lease.image],
    ["Price", `${money(lease.price.hourly)} per hour, ${money(lease.price.monthly)} per 30 days`],
    ["SSH", endpoint === undefined ? none : endpoint.command],
    ["Host", lease.host ?? none],
    ["Runs", lease.execution ?? none],
    ["Start", lease.start ?? undefined],
    ["Restart", lease.restart],
    ...besideFields(lease),
    ["Idle", idle],
    ["New size", lease.pendingResize && !tellsOfRestart(lease) ? atNextStart : undefined],
    ["Created", time(lease.createdAt)],
    ["Ready", time(lease.readyAt)],
    ["Released", lease.releasedAt === null ? undefined : time(lease.releasedAt)],
    ["Id", lease.id],
    ["Project", lease.projectId],
    ["Owner", lease.owner.name ?? lease.owner.id],
    ["Instance", lease.instanceId ?? none],
  ]);
}

/** Why nobody can log in now, and what would help. */
export function notRunning(lease: Lease): Failure {
  const why = lease.reason === null ? "" : ` ${because(lease.reason)}`;
  const advice = adviceIn[lease.state](lease.name);
  return new Failure("wrong_state", `${lease.name} is ${lease.state}.${why}${advice}`);
}

const adviceIn: Readonly<Record<Lease["state"], (name: string) => string>> = {
  queued: (name) => ` It waits for its turn. See: millrace lease show ${name}`,
  creating: () => " Try again in a moment.",
  starting: () => " Try again in a moment.",
  stopping: (name) => ` Start it again with: millrace lease start ${name}`,
  stopped: (name) => ` Start it with: millrace lease start ${name}`,
  failed: (name) => ` See what happened: millrace lease events ${name}`,
  releasing: () => "",
  released: () => "",
  running: () => "",
};

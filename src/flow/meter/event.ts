/**
 * Usage events: CloudEvents 1.0 objects with one canonical form (RFC 8785). Pure; the offline check
 * of a bill uses it too.
 *
 * What must stay true: the canonical text follows from the fields alone, so an event can be kept as
 * columns; a leaf of the log is that text with a salt (tlog/leaf.ts). All texts in an event are of
 * characters that JSON writes as they are.
 */
import { dimensionOf, type SkuDimension } from "#catalog/sku.ts";
import { present } from "#kernel/assert.ts";

export const recordedType = "compute.usage.recorded.v1";
export const retractedType = "compute.usage.retracted.v1";
/** Of the events that this program's own meter writes; nobody else may use it. */
export const meterSource = "/millrace/meter";

export type Work = "lease" | "job";
export type Plan = "on_demand" | "subscription";

/** Who used how much of what, from when to when. */
export interface Use {
  readonly tenantId: string;
  readonly projectId: string;
  /** The lease or the job. */
  readonly requestId: string;
  readonly instanceId: string;
  /** What it is a segment of. */
  readonly intervalId: string;
  readonly work: Work;
  readonly plan: Plan;
  readonly sku: string;
  /** GPUs, cores, GiB of memory; bytes of storage. `units / slice` is what was held. */
  readonly units: bigint;
  readonly slice: number;
  /** Epoch milliseconds, whole seconds. */
  readonly from: number;
  readonly until: number;
  /** False for an attempt that a platform fault ended (R-PAYG-7). */
  readonly billable: boolean;
  /** Why it ended, where it did. */
  readonly reason: string | null;
}

interface Identity {
  readonly source: string;
  readonly id: string;
  /** When what it tells of was so; whole seconds. */
  readonly at: number;
}

export interface RecordedEvent extends Identity, Use {
  readonly kind: "recorded";
}

/** Takes an event of the same source back. */
export interface RetractedEvent extends Identity {
  readonly kind: "retracted";
  readonly tenantId: string;
  /** The id of that event. */
  readonly retracts: string;
  readonly reason: string;
}

export type UsageEvent = RecordedEvent | RetractedEvent;

const unitNames = {
  gpu: "GPU",
  cpu: "core",
  memory: "GiB",
  storage: "byte",
} as const satisfies Record<SkuDimension, string>;
export type UnitName = (typeof unitNames)[SkuDimension];

/** What one unit of a SKU is; `undefined` where nobody knows. */
export function unitOf(sku: string): UnitName | undefined {
  const dimension = dimensionOf(sku);
  return dimension === undefined ? undefined : unitNames[dimension];
}

/** The bytes that its identity stands for, as text (ASCII); keys in the order of RFC 8785. */
export function canonicalText(event: UsageEvent): string {
  const { id, source, at, kind } = event;
  const type = kind === "recorded" ? recordedType : retractedType;
  return (
    `{"data":${dataOf(event)},"datacontenttype":"application/json","id":"${id}",` +
    `"source":"${source}","specversion":"1.0","time":"${timeText(at)}","type":"${type}"}`
  );
}

/** What the log has of it: as tlog's `leafText`, of a salt that is in base64 already. */
export function saltedText(
  event: UsageEvent,
  salt: string,
  canonical: string = canonicalText(event),
): string {
  return saltedCanonical(canonical, salt);
}

export function saltedCanonical(canonical: string, salt: string): string {
  return `{"event":${canonical},"salt":"${salt}"}`;
}

function dataOf(event: UsageEvent): string {
  if (event.kind === "retracted") {
    const { reason, retracts, tenantId } = event;
    return `{"reason":"${reason}","retracts":"${retracts}","tenant":"${tenantId}"}`;
  }
  const reason = event.reason === null ? "null" : `"${event.reason}"`;
  const unit = present(unitOf(event.sku), "the unit of a SKU that is metered");
  return (
    `{"billable":${event.billable},"from":"${timeText(event.from)}",` +
    `"instance":"${event.instanceId}","interval":"${event.intervalId}","plan":"${event.plan}",` +
    `"project":"${event.projectId}","reason":${reason},"request":"${event.requestId}",` +
    `"sku":"${event.sku}","slice":${event.slice},"tenant":"${event.tenantId}","unit":"${unit}",` +
    `"units":"${event.units}","until":"${timeText(event.until)}","work":"${event.work}"}`
  );
}

const dayMs = 86_400_000;
const daysCachedMax = 4_000;
const dayTexts = new Map<number, string>();
const twoDigits = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, "0"));

/** RFC 3339 in UTC to the second: the one way in which an event writes an instant. */
export function timeText(instantMs: number): string {
  const epochDay = Math.floor(instantMs / dayMs);
  const second = (instantMs - epochDay * dayMs) / 1000;
  const hour = Math.floor(second / 3600);
  const minute = Math.floor((second - hour * 3600) / 60);
  const rest = second - hour * 3600 - minute * 60;
  return `${dayText(epochDay)}T${twoDigits[hour]}:${twoDigits[minute]}:${twoDigits[rest]}Z`;
}

function dayText(epochDay: number): string {
  const known = dayTexts.get(epochDay);
  if (known !== undefined) return known;
  if (dayTexts.size >= daysCachedMax) dayTexts.clear();
  const text = new Date(epochDay * dayMs).toISOString().slice(0, 10);
  dayTexts.set(epochDay, text);
  return text;
}

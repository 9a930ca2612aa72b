/**
 * Reads an event out of the text of its leaf. The form of both is one (flow/meter/event.ts,
 * tlog/leaf.ts), so a text that has it is canonical; anything else is refused, also where it would be
 * the same JSON. Most events are read by event-bytes.ts, which is faster and knows less.
 */
import { timeText, unitOf } from "#flow/meter/event.ts";

export interface ReadRecorded {
  readonly kind: "recorded";
  readonly source: string;
  readonly id: string;
  readonly tenant: string;
  readonly instance: string;
  readonly interval: string;
  readonly plan: string;
  readonly work: string;
  readonly sku: string;
  readonly unit: string;
  readonly units: string;
  readonly slice: string;
  readonly billable: boolean;
  /** Epoch milliseconds. */
  readonly from: number;
  readonly until: number;
}

export interface ReadRetracted {
  readonly kind: "retracted";
  readonly source: string;
  readonly id: string;
  readonly tenant: string;
  readonly retracts: string;
}

const uuid = "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})";
const time = "([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)";
const plain = "[A-Za-z0-9 ._:/@#+-]*";
const salt = "[A-Za-z0-9+/]{22}==";
const count = "([1-9][0-9]{0,18}|0)";

const recordedPattern = new RegExp(
  `^\\{"event":\\{"data":\\{"billable":(true|false),"from":"${time}","instance":"${uuid}",` +
    `"interval":"${uuid}","plan":"(on_demand|subscription)","project":"${uuid}",` +
    `"reason":(?:null|"${plain}"),"request":"${uuid}","sku":"(${plain})","slice":${count},` +
    `"tenant":"${uuid}","unit":"([A-Za-z]+)","units":"${count}","until":"${time}",` +
    `"work":"(lease|job)"\\},"datacontenttype":"application/json","id":"(${plain})",` +
    `"source":"(${plain})","specversion":"1\\.0","time":"${time}",` +
    `"type":"compute\\.usage\\.recorded\\.v1"\\},"salt":"${salt}"\\}$`,
);

const retractedPattern = new RegExp(
  `^\\{"event":\\{"data":\\{"reason":"${plain}","retracts":"(${plain})","tenant":"${uuid}"\\},` +
    `"datacontenttype":"application/json","id":"(${plain})","source":"(${plain})",` +
    `"specversion":"1\\.0","time":"${time}","type":"compute\\.usage\\.retracted\\.v1"\\},` +
    `"salt":"${salt}"\\}$`,
);

/** `undefined` for what is no event to the letter. */
export function readEvent(leaf: string): ReadRecorded | ReadRetracted | undefined {
  const match = recordedPattern.exec(leaf);
  return match === null ? readRetracted(leaf) : recordedOf(match);
}

function recordedOf(match: RegExpExecArray): ReadRecorded | undefined {
  const [, billable, from = "", instance = "", interval = "", plan = ""] = match;
  const [sku = "", slice = "", tenant = "", unit = "", units = "", until = ""] = match.slice(8, 14);
  const event: ReadRecorded = {
    kind: "recorded",
    source: match[16] ?? "",
    id: match[15] ?? "",
    tenant,
    instance,
    interval,
    plan,
    work: match[14] ?? "",
    sku,
    unit,
    units,
    slice,
    billable: billable === "true",
    from: Date.parse(from),
    until: Date.parse(until),
  };
  const isCanonical = isTime(from, event.from) && isTime(until, event.until);
  return isCanonical && slice !== "0" ? event : undefined;
}

/** No 30th of February. */
function isTime(text: string, instant: number): boolean {
  return !Number.isNaN(instant) && timeText(instant) === text;
}

function readRetracted(leaf: string): ReadRetracted | undefined {
  const match = retractedPattern.exec(leaf);
  if (match === null) return undefined;
  const [, retracts = "", tenant = "", id = "", source = ""] = match;
  return { kind: "retracted", source, id, tenant, retracts };
}

/** Whether it counts what its SKU is sold by. */
export function hasItsUnit({ sku, unit }: ReadRecorded): boolean {
  return unitOf(sku) === unit;
}

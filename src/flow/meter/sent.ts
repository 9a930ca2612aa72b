/**
 * A batch as it was sent, read event by event. Pure.
 *
 * Whoever sends canonical bytes (RFC 8785, as this program itself writes events) has them read by one
 * pattern for each kind, which says all that `parseEvent` would: a third of what parsing JSON, checking
 * its texts and then its fields costs, and the bytes to hash are there. What is not matched to the last
 * character is read as any JSON; a property test compares the two.
 */
import { present } from "#kernel/assert.ts";
import { canonicalJson } from "#tlog/leaf.ts";

import { recordedType, retractedType } from "./event.ts";
import { parseEvent, secondOf, sliceMax, type ParsedEvent } from "./parse.ts";

export interface Sent {
  readonly parsed: readonly ParsedEvent[];
  /** Of each its canonical text, where those were sent. */
  readonly canonical: readonly string[] | undefined;
  /** The canonical text of one. */
  readonly textOf: (index: number) => string;
}

export function sentValues(values: readonly unknown[]): Sent {
  return {
    parsed: values.map(parseEvent),
    canonical: undefined,
    textOf: (index) => canonicalJson(values[index]),
  };
}

/** `undefined` where it is anything but a list of canonical events, and not too long a list. */
export function sentCanonical(text: string, eventsMax: number): Sent | undefined {
  if (!text.startsWith("[")) return undefined;
  const parsed: (ParsedEvent & { readonly kind: "event" })[] = [];
  const canonical: string[] = [];
  let at = 1;
  while (at < text.length) {
    const found = recordedAt(text, at) ?? retractedAt(text, at);
    if (found === undefined || parsed.length === eventsMax) return undefined;
    parsed.push(found.event);
    canonical.push(text.slice(at, found.end));
    // After it stands a comma, or the bracket that ends the text.
    const isLast = text.charCodeAt(found.end) === closingBracket;
    at = found.end + 1;
    if (isLast && at < text.length) return undefined;
    if (isLast) return { parsed, canonical, textOf: (index) => present(canonical[index], "text") };
  }
  return undefined;
}

const closingBracket = 93;

const uuid = "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})";
const second = "(20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)";
const text100 = "([A-Za-z0-9/][A-Za-z0-9._:/@+-]{0,99})";
const text128 = "([A-Za-z0-9/][A-Za-z0-9._:/@+-]{0,127})";
const reason = '"([A-Za-z0-9 ._:/-]{1,100})"';

function pattern(data: string, type: string): RegExp {
  const envelope =
    `"datacontenttype":"application/json","id":"${text128}","source":"${text100}",` +
    `"specversion":"1\\.0","time":"${second}","type":"${type.replaceAll(".", "\\.")}"`;
  return new RegExp(`\\{"data":\\{${data}\\},${envelope}\\}(?=[,\\]])`, "y");
}

const recorded = pattern(
  `"billable":(true|false),"from":"${second}","instance":"${uuid}","interval":"${uuid}",` +
    `"plan":"(?:(on_demand)|subscription)","project":"${uuid}","reason":(?:null|${reason}),` +
    `"request":"${uuid}","sku":"${text100}","slice":([1-9][0-9]{0,6}),"tenant":"${uuid}",` +
    `"unit":"([A-Za-z][A-Za-z0-9-]{0,31})","units":"([1-9][0-9]{0,17})","until":"${second}",` +
    `"work":"(?:(lease)|job)"`,
  recordedType,
);

const retracted = pattern(
  `"reason":${reason},"retracts":"${text128}","tenant":"${uuid}"`,
  retractedType,
);

interface Found {
  readonly event: ParsedEvent & { readonly kind: "event" };
  /** Where it ends in the text. */
  readonly end: number;
}

function recordedAt(text: string, at: number): Found | undefined {
  recorded.lastIndex = at;
  const groups = recorded.exec(text);
  if (groups === null) return undefined;
  const from = secondOf(groups[2]);
  const until = secondOf(groups[14]);
  const time = secondOf(groups[18]);
  const slice = Number(groups[10]);
  if (from === undefined || until === undefined || time === undefined) return undefined;
  if (slice > sliceMax) return undefined;
  return {
    end: recorded.lastIndex,
    event: {
      kind: "event",
      unit: groups[12],
      event: {
        kind: "recorded",
        source: groups[17] ?? "",
        id: groups[16] ?? "",
        at: time,
        tenantId: groups[11] ?? "",
        projectId: groups[6] ?? "",
        requestId: groups[8] ?? "",
        instanceId: groups[3] ?? "",
        intervalId: groups[4] ?? "",
        work: groups[15] === undefined ? "job" : "lease",
        plan: groups[5] === undefined ? "subscription" : "on_demand",
        sku: groups[9] ?? "",
        units: BigInt(groups[13] ?? ""),
        slice,
        from,
        until,
        billable: groups[1] === "true",
        reason: groups[7] ?? null,
      },
    },
  };
}

function retractedAt(text: string, at: number): Found | undefined {
  retracted.lastIndex = at;
  const groups = retracted.exec(text);
  if (groups === null) return undefined;
  const [, why = "", retracts = "", tenantId = "", id = "", source = "", atText] = groups;
  const time = secondOf(atText);
  if (time === undefined) return undefined;
  return {
    end: retracted.lastIndex,
    event: {
      kind: "event",
      unit: undefined,
      event: { kind: "retracted", source, id, at: time, tenantId, retracts, reason: why },
    },
  };
}

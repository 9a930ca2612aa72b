/**
 * A batch as it was sent, read event by event. Pure.
 *
 * Whoever sends canonical bytes (RFC 8785, as this program itself writes events) has them cut into the
 * texts of events by their last members alone, so that those which came before are known by their bytes
 * and never read; the others are read by one pattern for each kind, which says all that `parseEvent`
 * would: a third of what parsing JSON, checking its texts and then its fields costs, and the bytes to
 * hash are there. What is not matched to the last character is read as any JSON; a property test
 * compares the two.
 */
import { canonicalJson } from "#tlog/leaf.ts";

import { recordedType, retractedType } from "./event.ts";
import { parseEvent, secondOf, sliceMax, type ParsedEvent } from "./parse.ts";

export interface Sent {
  readonly parsed: readonly ParsedEvent[];
  /** The canonical text of one. */
  readonly textOf: (index: number) => string;
}

export function sentValues(values: readonly unknown[]): Sent {
  return { parsed: values.map(parseEvent), textOf: (index) => canonicalJson(values[index]) };
}

/** What looks like the canonical text of an event, and what it says of itself. */
export interface SentText {
  readonly text: string;
  readonly source: string;
  readonly id: string;
  readonly tenantId: string;
}

/**
 * Cuts a list of canonical events; `undefined` where it is anything else, or too long a list. A text
 * that is accepted here may still be none of an event: `readCanonical` says.
 */
export function canonicalTexts(body: string, eventsMax: number): SentText[] | undefined {
  if (!body.startsWith("[")) return undefined;
  const texts: SentText[] = [];
  let at = 1;
  while (at < body.length) {
    const cut = textAt(body, at);
    if (cut === undefined || texts.length === eventsMax) return undefined;
    texts.push(cut);
    at += cut.text.length;
    // After it stands a comma, or the bracket that ends the body.
    const isLast = body.charCodeAt(at) === closingBracket;
    at += 1;
    if (isLast) return at < body.length ? undefined : texts;
  }
  return undefined;
}

const comma = 44;
const closingBracket = 93;
const head = '{"data":{';
const tail = '},"datacontenttype":"application/json","id":"';
const tenantName = '"tenant":"';
const sourceName = '","source":"';
const uuidLength = 36;

/**
 * As little as tells one text from the next, and whose it is: what is more is for who reads it, or for
 * the hash of what was taken in before.
 */
function textAt(body: string, at: number): SentText | undefined {
  if (!body.startsWith(head, at)) return undefined;
  const dataEnd = body.indexOf(tail, at);
  const tenantAt = body.indexOf(tenantName, at) + tenantName.length;
  if (dataEnd < 0 || tenantAt < tenantName.length || tenantAt > dataEnd) return undefined;
  const idAt = dataEnd + tail.length;
  const idEnd = body.indexOf('"', idAt);
  if (!body.startsWith(sourceName, idEnd)) return undefined;
  const sourceAt = idEnd + sourceName.length;
  const sourceEnd = body.indexOf('"', sourceAt);
  const end = body.indexOf('"}', sourceEnd) + 2;
  const next = body.charCodeAt(end);
  if (end < 2 || (next !== comma && next !== closingBracket)) return undefined;
  const tenantId = body.slice(tenantAt, tenantAt + uuidLength);
  const id = body.slice(idAt, idEnd);
  const source = body.slice(sourceAt, sourceEnd);
  if (!wholeUuid.test(tenantId) || !wholeId.test(id) || !wholeSource.test(source)) return undefined;
  return { text: body.slice(at, end), source, id, tenantId };
}

const uuid = "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})";
const second = "(20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)";
const text100 = "([A-Za-z0-9/][A-Za-z0-9._:/@+-]{0,99})";
const text128 = "([A-Za-z0-9/][A-Za-z0-9._:/@+-]{0,127})";
const reason = '"([A-Za-z0-9 ._:/-]{1,100})"';

const wholeUuid = new RegExp(`^${uuid}$`);
const wholeId = new RegExp(`^${text128}$`);
const wholeSource = new RegExp(`^${text100}$`);

/** What stands after an event's data, of any of these types; id, source and time are groups. */
function members(...types: readonly string[]): string {
  const type = types.map((each) => each.replaceAll(".", "\\.")).join("|");
  return (
    `"datacontenttype":"application/json","id":"${text128}","source":"${text100}",` +
    `"specversion":"1\\.0","time":"${second}","type":"(?:${type})"`
  );
}

function pattern(data: string, type: string): RegExp {
  return new RegExp(`^\\{"data":\\{${data}\\},${members(type)}\\}$`);
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

/** `undefined` where the text is not the canonical one of an event. */
export function readCanonical(text: string): ParsedEvent | undefined {
  return readRecorded(text) ?? readRetracted(text);
}

function readRecorded(text: string): ParsedEvent | undefined {
  const groups = recorded.exec(text);
  if (groups === null) return undefined;
  const from = secondOf(groups[2]);
  const until = secondOf(groups[14]);
  const time = secondOf(groups[18]);
  const slice = Number(groups[10]);
  if (from === undefined || until === undefined || time === undefined) return undefined;
  if (slice > sliceMax) return undefined;
  return {
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
  };
}

function readRetracted(text: string): ParsedEvent | undefined {
  const groups = retracted.exec(text);
  if (groups === null) return undefined;
  const [, why = "", retracts = "", tenantId = "", id = "", source = "", atText] = groups;
  const time = secondOf(atText);
  if (time === undefined) return undefined;
  return {
    kind: "event",
    unit: undefined,
    event: { kind: "retracted", source, id, at: time, tenantId, retracts, reason: why },
  };
}

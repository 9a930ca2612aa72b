/** Server-sent events, as the HTML standard defines their text. */
import { Failure } from "#kernel/failure.ts";

/** No event of ours is near it: a server that sends more has lost its way. */
const eventCharactersMax = 4 * 1024 * 1024;

export interface ServerEvent {
  /** `message` unless the server named it. */
  readonly event: string;
  readonly data: string;
  /** The last id that the server gave, with this event or before it; "" for none. */
  readonly id: string;
}

export interface EventParser {
  /** The events that are whole with these bytes. */
  push(bytes: Uint8Array): ServerEvent[];
  /** What the server asked to wait before coming back; `undefined` if it did not. */
  retryMs(): number | undefined;
}

export function createEventParser(lastEventId = ""): EventParser {
  const decoder = new TextDecoder();
  let pending = "";
  let id = lastEventId;
  let event = "";
  let data: string[] = [];
  let dataLength = 0;
  let retry: number | undefined;

  const dispatch = (): ServerEvent | undefined => {
    const whole = { event: event === "" ? "message" : event, data: data.join("\n"), id };
    const empty = data.length === 0;
    event = "";
    data = [];
    dataLength = 0;
    return empty ? undefined : whole;
  };

  const take = (line: string): void => {
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") event = value;
    if (name === "data") {
      data.push(value);
      dataLength += value.length;
    }
    if (name === "id" && !value.includes("\0")) id = value;
    if (name === "retry" && /^[0-9]{1,8}$/.test(value)) retry = Number(value);
  };

  return {
    push(bytes) {
      pending += decoder.decode(bytes, { stream: true });
      // A CR at the very end may be the first half of a CRLF.
      const lines = pending.split(/\r\n|\n|\r(?!$)/);
      pending = lines.pop() ?? "";
      const events: ServerEvent[] = [];
      for (const line of lines) {
        if (line !== "") take(line);
        else {
          const whole = dispatch();
          if (whole !== undefined) events.push(whole);
        }
      }
      if (pending.length + dataLength > eventCharactersMax) {
        throw new Failure("internal", "The server sent an event that is too large.");
      }
      return events;
    },
    retryMs: () => retry,
  };
}

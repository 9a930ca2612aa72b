/** What agents bring, onto a disk that is full in the middle, and by two processes at once. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";

import { v7 as uuid } from "uuid";
import { afterAll, expect, test } from "vitest";

import { openExchange } from "./exchange.ts";
import { type Inbox, openInbox, usualInboxLimits } from "./inbox.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-inbox-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const exchange = await openExchange(join(folder, "exchange"));
const limits = { ...usualInboxLimits, freeBytesMin: 0 };

/** A disk of 256 KiB; only root can make one. */
function smallDisk(): string | undefined {
  const place = join(folder, "small");
  mkdirSync(place);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "none", place], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  afterAll(() => execFileSync("umount", [place]));
  return place;
}

const small = smallDisk();

test.skipIf(small === undefined)(
  "on a disk that is full in the middle no half archive stays, and a log has no hole",
  async () => {
    const full = await openExchange(small ?? "");
    const inbox = openInbox(full, limits);
    const record = {
      attemptId: uuid(),
      tokenSha256: "0".repeat(64),
      logBytesMax: 10_000_000,
      resultsBytesMax: 10_000_000,
      members: [{ name: "0", machineId: uuid() }],
    };
    await full.open(record);
    const sender = { attempt: record, member: record.members[0] ?? { name: "", machineId: "" } };
    const body = Readable.from([Buffer.alloc(200_000), Buffer.alloc(200_000)]);
    expect(await inbox.results(sender, { body, logBytes: 0 })).toBe("disk_full");
    expect(await readdir(full.places.incoming)).toEqual([]);
    const bytes = randomBytes(200_000);
    const first = await inbox.log(sender, { offset: 0, bytes });
    expect(first).toMatchObject({ wanted: 200_000 });
    expect(await inbox.log(sender, { offset: 200_000, bytes })).toBe("disk_full");
    const most = { offset: 0, bytesMax: 1_000_000 };
    const log = await full.readLog(record.attemptId, "0", most);
    expect(log.equals(Buffer.concat([bytes, bytes]).subarray(0, log.length))).toBe(true);
    expect(await full.report(record.attemptId, "0")).toBeUndefined();
  },
);

test("two processes that get the same log in pieces at once write one log (seeded)", async () => {
  const record = {
    attemptId: uuid(),
    tokenSha256: "0".repeat(64),
    logBytesMax: 1_000_000,
    resultsBytesMax: 0,
    members: [{ name: "0", machineId: uuid() }],
  };
  await exchange.open(record);
  const sender = { attempt: record, member: record.members[0] ?? { name: "", machineId: "" } };
  const log = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));
  let state = 20_261_122;
  const random = (below: number) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
  const inboxes = [
    openInbox(exchange, limits),
    openInbox(await openExchange(exchange.directory), limits),
  ];
  const send = async (inbox: Inbox) => {
    for (let sent = 0; sent < log.length;) {
      const offset = random(3) === 0 ? random(sent + 1) : sent;
      const bytes = log.subarray(offset, offset + 1 + random(9000));
      const taken = await inbox.log(sender, { offset, bytes });
      if (taken === "disk_full" || taken === "removed") throw new Error(taken);
      sent = taken.wanted;
    }
  };
  await Promise.all(inboxes.map(send));
  const all = { offset: 0, bytesMax: 1_000_000 };
  expect((await exchange.readLog(record.attemptId, "0", all)).equals(log)).toBe(true);
});

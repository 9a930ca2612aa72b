/** Work goes only where its image is, once sites say which they have. */
import { v7 as uuid } from "uuid";
import { expect, test } from "vitest";

import { recordImage, recordSiteImages } from "#catalog/images.ts";
import { recordHosts, recordSite } from "#catalog/sites.ts";
import { sql } from "#db/sql.ts";
import { testDatabase } from "#test/database.ts";
import { aShape } from "#test/place-states.ts";
import { addOwner, ask, placesOf, waitsFor } from "#test/waiting.ts";

import { couldEverFit } from "./decide.ts";
import { wantsImage } from "./host-images.ts";
import { hostStates } from "./hosts-read.ts";
import { keptHosts } from "./kept-hosts.ts";
import { placeLoop } from "./loop.ts";

const { db } = await testDatabase();
const at = Date.UTC(2026, 4, 4);
const gib = 2 ** 30;

async function addSite(site: string): Promise<void> {
  const kind = { kind: "simulated", version: "1", execution: "simulated" } as const;
  await recordSite(db, { site, ...kind, executionReason: "", capabilities: {} }, at);
  const host = { id: `host-of-${site}`, state: "up", cpus: 64, hugePages: {}, gpus: [] } as const;
  const items = [{ ...host, memoryBytes: 512 * gib, diskBytes: 4096 * gib, labels: {} }];
  await recordHosts(db, { site, at, listing: { complete: false, items } });
}

function addImage(name: string): Promise<void> {
  const least = { minMemoryMiB: 1, minDiskGiB: 1, takesUserData: false };
  const said = { name, description: name, defaultUser: "root", state: "ready" } as const;
  return recordImage(db, { ...said, ...least });
}

function has(site: string, ...images: readonly string[]): Promise<void> {
  return db.transaction((tx) => recordSiteImages(tx, { site, images }));
}

async function asksFor(image: string): Promise<string> {
  const id = await ask(db, await addOwner(db), { kind: "lease", at });
  await db.execute(sql`update request set image = ${image} where id = ${id}`);
  return id;
}

test("M-VM-02, S-03: a machine is placed only on a site that has its image; a site that says nothing takes any", async () => {
  // Another try begins anew.
  for (const table of [
    sql`site_image`,
    sql`placement`,
    sql`queue_entry`,
    sql`request`,
    sql`host`,
  ]) {
    await db.execute(sql`delete from ${table}`);
  }
  for (const name of ["tiny", "ubuntu"]) await addImage(name);
  await addSite("here");
  await addSite("there");
  const pass = async (): Promise<void> => {
    const loop = placeLoop({ db, now: () => at });
    await loop.pass(new AbortController().signal);
  };
  // Nobody says anything: anywhere will do, and nothing is asked.
  expect(wantsImage(await hostStates(db, at), "ubuntu")).toEqual({});
  const before = await keptHosts(db);

  await has("here", "tiny");
  await has("there", "ubuntu");
  const hosts = await keptHosts(db);
  expect(hosts).not.toBe(before);
  const [tiny, ubuntu, windows] = await Promise.all(["tiny", "ubuntu", "windows"].map(asksFor));
  await pass();
  expect(await placesOf(db, [tiny ?? ""])).toEqual(["host-of-here"]);
  expect(await placesOf(db, [ubuntu ?? ""])).toEqual(["host-of-there"]);
  expect(await waitsFor(db, windows ?? "")).toBe("no_host_fits");
  const tenantId = uuid();
  const shape = aShape();
  const refused = couldEverFit(hosts, { tenantId, shape, ...wantsImage(hosts, "windows") });
  expect(refused).toMatchObject({
    placed: false,
    reason: { details: { obstacles: { "its site does not have the image": 2 } } },
  });

  // A third says nothing, and takes what the catalog has.
  await addSite("anything");
  const other = await asksFor("ubuntu");
  await db.execute(sql`update host set state = 'down' where native_id = 'host-of-there'`);
  await pass();
  expect(await placesOf(db, [other])).toEqual(["host-of-anything"]);

  // What a site no longer has is not placed there any more; one that gets it takes what waits.
  await addImage("windows");
  await has("here", "tiny", "windows");
  await db.execute(sql`update host set state = 'down' where native_id = 'host-of-anything'`);
  await pass();
  expect(await placesOf(db, [windows ?? ""])).toEqual(["host-of-here"]);
});

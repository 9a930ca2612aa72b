/** The pool by default: one clone in all, which follows what is asked for. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { Provider } from "#providers/provider.ts";

import {
  createTestSite,
  machineReady,
  mebibyte,
  testCall,
  until,
  type TestSite,
} from "./test-site.ts";

const cpu = { sockets: 1, cores: 1, threads: 1 };
const [small, large] = [128 * mebibyte, 192 * mebibyte];

let site: TestSite;
let provider: Provider;

beforeAll(async () => {
  site = await createTestSite();
  provider = await site.open({
    warmPool: {
      members: 1,
      memoryBytesMax: 512 * mebibyte,
      prepare: [large, small].map((memoryBytes) => ({ image: "tiny", cpu, memoryBytes })),
    },
  });
});

afterAll(async () => {
  await provider.close();
  await site.remove();
});

/** The kinds of the clones that stand ready; one that is being made has none yet. */
async function ready(): Promise<string[]> {
  const pool = join(site.directory, "local", "pool");
  const names = await readdir(pool);
  const keys = names.map((name) => readFile(join(pool, name, "key"), "utf8").catch(() => ""));
  return (await Promise.all(keys)).filter((key) => key !== "");
}

test("one clone stands ready, for the kind that was asked for last, and is what a machine is made of", async () => {
  const first = await until("a clone of the kind prepared last", async () => (await ready())[0]);
  const spec = site.spec({ memoryBytes: small });
  await provider.create(testCall(), spec);
  const machine = await machineReady(provider, spec.id);
  expect(machine.start).toBe("warm");
  expect(await site.ssh(machine, "hostname")).toBe("machine");
  const again = await until("another in its place", async () => (await ready())[0]);
  expect(again).toBe(first);

  const larger = site.spec({ memoryBytes: large });
  await provider.create(testCall(), larger);
  await machineReady(provider, larger.id);
  await until("a clone of the other kind alone", async () => {
    const keys = await ready();
    expect(keys.length).toBeLessThanOrEqual(1);
    return keys[0] !== undefined && keys[0] !== first ? true : undefined;
  });
});

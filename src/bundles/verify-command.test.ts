/**
 * `millrace verify` as a customer runs it: in a process that has the file and nothing else; and the
 * bundle as he gets it, from the API, of his own tenant only.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

import { afterAll, expect, test } from "vitest";
import { z } from "zod";

import { localMonth } from "#kernel/calendar.ts";
import { billingZone } from "#kernel/zone.ts";
import { signCheckpoint } from "#tlog/checkpoint.ts";
import { formatKey } from "#tlog/keys.ts";
import { runInside } from "#test/cli-inside.ts";
import { testDatabase } from "#test/database.ts";

import { exportBundle } from "./export.ts";
import { partsOf } from "./forge.ts";
import { liveTwoMonths, newCustomer, signer, signerOf } from "./sample.ts";

const { db } = await testDatabase();
const customer = await newCustomer(db, "acme", billingZone);
await liveTwoMonths(db, customer);
const home = mkdtempSync(join(tmpdir(), "millrace-verify-test-"));
afterAll(() => rmSync(home, { recursive: true }));

async function bundleOf(tenantId: string): Promise<Buffer> {
  const month = localMonth("2026-05");
  return buffer(await exportBundle(db, { tenantId, month, keptSize: undefined }));
}

function written(name: string, content: string | Uint8Array): string {
  const file = join(home, name);
  writeFileSync(file, content);
  return file;
}

const bundle = await bundleOf(customer.tenantId);
const file = written("may.bundle", bundle);
const key = formatKey(signer.key);

/** No credential, and an address where nobody answers. */
function verify(...argv: string[]) {
  const nobody = "http://127.0.0.1:9";
  return runInside(nobody, ["verify", ...argv], home, { MILLRACE_KEY: "", LANG: "C" });
}

test("MT-05: a bundle is verified with exit status 0, and says what it does not prove", async () => {
  const { code, stdout, stderr } = await verify(file, "--key", key);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("PROVED: the events are in the signed log");
  expect(stdout).toContain("4178.30 CNY");
  expect(stdout).toContain("as given by you");
  expect(stdout).toContain("What this does not prove:");
  const own = await verify(file);
  expect(own.stdout).toContain("the bundle's own, not compared");
  const chinese = await verify(file, "--language", "zh-CN");
  expect(chinese.stdout).toContain("已证明");
  expect(chinese.stdout).toContain("公钥");
});

test("MT-04: a bundle that is not right ends with exit status 1 and names the place", async () => {
  const changed = bundle.toString("latin1").replace('"units":"32"', '"units":"33"');
  const wrong = written("wrong.bundle", Buffer.from(changed, "latin1"));
  const { code, stdout } = await verify(wrong, "--key", key);
  expect(code).toBe(1);
  expect(stdout).toMatch(/NOT PROVED: \d+ things are wrong\./);
  expect(stdout).toMatch(/event [0-9a-f-]{36}\/1 \(leaf \d+, line \d+ of the file\)/);
  expect(stdout).toMatch(/statement, line \d+: 2026-05-09 mem\.gib: amount/);
  const json = await verify(wrong, "--key", key, "--output", "json");
  expect(json.code).toBe(1);
  const verdict = z.looseObject({ isProved: z.boolean(), failures: z.array(z.unknown()) });
  expect(verdict.parse(JSON.parse(json.stdout))).toMatchObject({ isProved: false });
  const chinese = await verify(wrong, "--language", "zh-CN");
  expect(chinese.stdout).toContain("未能证明");
});

test("MT-04: the key and a kept checkpoint are taken from files", async () => {
  const keyFile = written("log.key", `${key}\n`);
  const [checkpoint] = partsOf(bundle).records.filter((each) => each["record"] === "checkpoint");
  const kept = written("kept", String(checkpoint?.["note"]));
  expect((await verify(file, "--key", keyFile, "--checkpoint", kept)).code).toBe(0);
  const other = formatKey(signerOf(signer.key.name, 9).key);
  expect((await verify(file, "--key", other)).stdout).toContain("you trust");
  const root = new Uint8Array(32).fill(1);
  const text = signCheckpoint({ origin: signer.key.name, size: 37, root }, signer);
  const fork = await verify(file, "--key", keyFile, "--checkpoint", written("fork", text));
  expect(fork.code).toBe(1);
  expect(fork.stdout).toContain("the log was forked");
});

test("a file that is none, or no bundle, is refused", async () => {
  expect((await verify(join(home, "nothing"))).code).toBe(66);
  const { code, stdout } = await verify(written("text", "hello\n"));
  expect(code).toBe(1);
  expect(stdout).toContain("This is not a bundle");
});

test("MT-05: a bundle has one tenant's events only; one who used nothing has an empty one that is right", async () => {
  const other = await newCustomer(db, "other", billingZone);
  const empty = await bundleOf(other.tenantId);
  expect(empty.toString()).not.toContain(customer.tenantId);
  expect((await verify(written("empty.bundle", empty), "--key", key)).code).toBe(0);
  await other.use({
    sku: "gpu.T4",
    units: 1n,
    from: other.at("2026-05-30", 1),
    until: other.at("2026-05-30", 2),
  });
  await other.pass(other.at("2026-06-08"));
  const one = await bundleOf(other.tenantId);
  expect(one.toString()).not.toContain(customer.tenantId);
  expect(partsOf(one).events).toHaveLength(1);
  expect((await verify(written("one.bundle", one), "--key", key)).code).toBe(0);
});

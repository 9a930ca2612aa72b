/** The serial line of a real machine: typed at by one, read by several, replayed to who comes later. */
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { Machine, Provider } from "#providers/provider.ts";

import {
  createTestSite,
  machineReady,
  testCall,
  testRead,
  until,
  type TestSite,
} from "./test-site.ts";

let site: TestSite;
let provider: Provider;
let machine: Machine;

beforeAll(async () => {
  site = await createTestSite();
  provider = await site.open();
  const spec = site.spec();
  await provider.create(testCall(), spec);
  machine = await machineReady(provider, spec.id);
});

afterAll(async () => {
  await provider.close();
  await site.remove();
});

async function openLine(): Promise<{ line: Duplex; text: () => string }> {
  const line = await provider.console(testRead, machine.id, "serial");
  let read = "";
  line.on("data", (bytes: Buffer) => {
    read += bytes.toString("latin1");
  });
  return { line, text: () => read };
}

function shows(text: () => string, what: RegExp): Promise<true> {
  return until(what.source, () => Promise.resolve(what.test(text()) ? true : undefined));
}

test("two may read and type at once, and a third sees what went before", async () => {
  const [first, second] = [await openLine(), await openLine()];
  await shows(first.text, /Press Enter/);
  first.line.write("\n");
  await shows(first.text, /[#$] /);
  first.line.write("echo one$((1 + 1))\n");
  await shows(second.text, /one2/);
  second.line.write("echo two$((1 + 1))\n");
  await shows(first.text, /two2/);
  const third = await openLine();
  await shows(third.text, /two2/);
  expect(third.text()).toMatch(/Press Enter[^]*one2[^]*two2/);
  for (const { line } of [first, second, third]) line.destroy();
});

test("a console outlives a restart of its machine", async () => {
  const { line, text } = await openLine();
  await provider.power(testCall(), machine.id, { to: "stop" });
  line.write("lost\n");
  await provider.power(testCall(), machine.id, { to: "start" });
  await machineReady(provider, machine.id);
  const before = text().length;
  await shows(() => text().slice(before - 64), /Press Enter|agent ready/);
  line.write("\n");
  line.write("echo back$((1 + 1))\n");
  await shows(text, /back2/);
  expect(text()).not.toContain("lost");
  line.destroy();
});

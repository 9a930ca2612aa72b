/** `npm run test:cluster` does what it says, pointed at the test server by a kubeconfig file. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { afterAll, expect, test } from "vitest";
import { stringify } from "yaml";

import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { startTestCluster } from "#test/kube/driver-cluster.ts";
import { kubeconfigOf } from "#test/kube/kubeconfig.ts";

const root = resolve(import.meta.dirname, "../..");
const scratch = await mkdtemp(join(tmpdir(), "millrace-test-cluster-"));
const cluster = await startTestCluster();
afterAll(async () => {
  await cluster.close();
  await rm(scratch, { recursive: true, force: true });
});

const kubeconfig = join(scratch, "kubeconfig");
const settings = join(scratch, "cluster.yaml");
await writeFile(kubeconfig, kubeconfigOf(cluster.server));
await writeFile(settings, stringify(cluster.settings));

interface Ended {
  readonly code: number;
  readonly said: string;
}

/** A run of Vitest inside of one: what the outer one told its workers is not for it. */
function run(...args: readonly string[]): Promise<Ended> {
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^(?:VITEST|MILLRACE|NODE_ENV|TEST)/.test(name),
    ),
  );
  return new Promise((done) => {
    execFile(
      process.execPath,
      [join(root, "bin/test-cluster.mjs"), ...args],
      { cwd: root, env: { ...environment, NO_COLOR: "1" }, maxBuffer: 16 * 2 ** 20 },
      (error, stdout, stderr) => {
        const code = typeof error?.code === "number" ? error.code : error === null ? 0 : 1;
        done({ code, said: `${stdout}${stderr}` });
      },
    );
  });
}

test("the conformance suite runs over the network by a kubeconfig, in true time, and leaves nothing behind", async () => {
  const without = ["--skip", "crash,samples,activity"];
  const { code, said } = await run("--kubeconfig", kubeconfig, "--settings", settings, ...without);
  expect({ code, said: code === 0 ? "" : said }).toEqual({ code: 0, said: "" });
  expect(said).toMatch(/Tests +\d+ passed \| \d+ skipped/);
  expect(cluster.server.objects.store.all(kinds.machine)).toEqual([]);
}, 600_000);

test("without nodes it makes two, runs what needs no machine to start, and takes them away", async () => {
  const { code, said } = await run(
    "--kubeconfig",
    kubeconfig,
    "--settings",
    settings,
    "--fake-nodes",
  );
  expect({ code, said: code === 0 ? "" : said }).toEqual({ code: 0, said: "" });
  expect(said).toContain("3 passed");
  expect(said).toContain("Jobs on kueue are left out");
  const nodes = cluster.server.objects.store.all(kinds.node);
  expect(nodes.map(({ metadata }) => metadata.name)).toEqual(["node-1", "node-2"]);
  expect(cluster.server.objects.store.all(kinds.machine)).toEqual([]);
}, 600_000);

test("without a cluster, or an image to start from, it says what it takes", async () => {
  for (const args of [[], ["--kubeconfig", kubeconfig], ["--kubeconfg", kubeconfig]]) {
    // oxlint-disable-next-line no-await-in-loop -- one process after the other
    const { code, said } = await run(...args);
    expect(code).not.toBe(0);
    expect(said).toContain("npm run test:cluster -- --kubeconfig FILE");
  }
});

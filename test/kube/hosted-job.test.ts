/**
 * A hosted job on a cluster, in the program as it is: Kueue lets it in, its pod runs the real scripts, its
 * inputs, log and results go through the API's half for agents, and its bill is what the pod ran.
 */
import { expect, test, vi } from "vitest";

import type { Client } from "#client/client.ts";
import { present } from "#kernel/assert.ts";
import { attemptLabel } from "#providers/kubevirt/jobs/names.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import { whole } from "#test/sim/job-cloud.ts";

import { freePort, startClusterCloud } from "./cloud.ts";
import { prepareForJobs, settingsForJobs } from "./job-cloud.ts";

const waiting = { timeout: 90_000, interval: 100 };
const port = await freePort();
const cloud = await startClusterCloud({
  port,
  side: { programs: "real" },
  prepare: prepareForJobs,
  settings: settingsForJobs(port),
});
const { server, nodes } = cloud.cluster;
const { store } = server.objects;
const operator = (): Client => cloud.client(cloud.operatorKey);

test("M-JOB-01, M-JOB-02, R-PAYG-7: a job on a cluster gets its inputs, tells its log, is taken off by Kueue and goes on, brings its results home, and is billed for what ran", async () => {
  const body = { name: `lab-${Date.now()}` };
  const { tenant, administrator } = await operator().call("createTenant", { body });
  const forLab = cloud.client(cloud.operatorKey, tenant.id);
  await forLab.call("createTopUp", { body: { amount: "1000", reference: tenant.id } });
  const lab = cloud.client(administrator.secret);
  const input = await lab.upload("uploadFile", {
    query: { name: "words.txt" },
    content: new Blob(["from the cluster\n"]),
  });
  const script = `#!/bin/sh
set -e
echo "attempt $MILLRACE_ATTEMPT reads $(cat words.txt)"
mkdir -p results
cp words.txt results/copied.txt
if [ "$MILLRACE_ATTEMPT" = 1 ]; then sleep 600; fi
sleep 2
`;
  await vi.waitFor(async () => {
    const { items } = await operator().call("listHosts");
    expect(items.map(({ name }) => name)).toContain("cpu-1");
  }, waiting);
  const asked = { name: "train", flavor: "nano", image: "tiny", script, inputs: [input.id] };
  const job = await lab.call("createJob", { body: { ...asked, preemptible: true } });
  const params = { jobId: job.id };
  const logSays = (attempt: number, text: string): Promise<void> =>
    vi.waitFor(async () => {
      const log = await lab.bytes("readJobLog", { params, query: { attempt } });
      expect((await whole(log)).toString()).toContain(text);
    }, waiting);

  await logSays(1, "attempt 1 reads from the cluster");
  await cloud.setForward(60_000);
  const workload = present(store.all(kinds.workload).at(-1), "the workload");
  nodes.kueue.evict(workload, { reason: "Preempted", cause: "InCohortReclamation" });

  // It is back in the line, where it waits a moment for those who needed its place.
  await vi.waitFor(async () => {
    expect(await lab.call("getJob", { params })).toMatchObject({ state: "queued" });
  }, waiting);
  await cloud.setForward(300_000);
  const done = await vi.waitFor(async () => {
    const now = await lab.call("getJob", { params });
    expect(now).toMatchObject({ state: "succeeded", attempts: [{}, {}] });
    return now;
  }, waiting);
  expect(done.attempts).toMatchObject([
    { end: { kind: "preempted" }, billable: true },
    { end: { kind: "exited", exitCode: 0 }, billable: true },
  ]);
  await logSays(2, "attempt 2 reads from the cluster");
  const { items: files } = await lab.call("listFiles");
  expect(files.some(({ jobId, kind }) => jobId === job.id && kind !== "input")).toBe(true);

  // Nothing of it is left in the cluster, and nothing waits for ever to be let go.
  await vi.waitFor(() => {
    const left = [...store.all(kinds.pod), ...store.all(kinds.job)];
    expect(left.filter(({ metadata }) => metadata.labels?.[attemptLabel] !== undefined)).toEqual(
      [],
    );
  }, waiting);

  // Each attempt from the start of its program to its end, by the cluster's own clock.
  const { items: usage } = await lab.call("listUsage");
  const billed = usage.filter(({ resourceId }) => resourceId === job.id);
  for (const { startedAt, endedAt } of done.attempts) {
    const seconds = (Date.parse(endedAt ?? "") - Date.parse(startedAt ?? "")) / 1000;
    expect(billed).toContainEqual(expect.objectContaining({ seconds, billable: true }));
  }
  expect(Math.max(...billed.map(({ seconds }) => seconds))).toBeGreaterThanOrEqual(60);
}, 400_000);

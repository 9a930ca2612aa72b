/** Jobs through the API and the stages, on hosts that do not exist. */
import { expect, test } from "vitest";

import { jobCloud, whole } from "./job-cloud.ts";

const cloud = await jobCloud();
cloud.start();

test("M-JOB-02, ST-03: a job is submitted, dispatched, followed, and its results are kept", async () => {
  const input = await cloud.upload("data.csv", "1,2,3\n");
  const job = await cloud.submit({
    script: "wc -l data.csv",
    inputs: [input.id],
    environment: { SIMULATE_SECONDS: "0.3", SIMULATE_LINES: "3" },
  });
  expect(job.state).toMatch(/queued|starting/);
  const done = await cloud.ended(job.id);
  expect(done).toMatchObject({
    state: "succeeded",
    reason: null,
    attempts: [{ number: 1, state: "ended", end: { kind: "exited", exitCode: 0 }, billable: true }],
  });
  const log = await cloud.log(job.id);
  expect(log).toContain("[simulated] line 3 of 3\n");
  expect(done.attempts[0]?.logBytes).toBe(Buffer.byteLength(log));
  const results = await cloud.api.bytes("downloadJobResults", { params: { jobId: job.id } });
  expect(results.contentType).toBe("application/x-tar");
  const bytes = await whole(results);
  expect(bytes).toHaveLength(done.resultsBytes ?? 0);
  expect(bytes.toString("latin1")).toContain("[simulated] nothing ran");
});

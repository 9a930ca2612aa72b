/** Leases, jobs and operations for tests of the CLI: a sample with the fields that matter set. */
import type { z } from "zod";

import { operations } from "#contract/operations.ts";
import { lease, operationRecord, type Lease } from "#contract/schemas/compute.ts";
import { job, type Job } from "#contract/schemas/jobs.ts";

import { sampleOf } from "./sample.ts";

export const leaseId = "0190c2b4-1111-7000-8000-000000000001";
export const jobId = "0190c2b4-2222-7000-8000-000000000001";
export const operationId = "0190c2b4-3333-7000-8000-000000000001";

const leaseSample = lease.parse(sampleOf(operations.getLease.result));
const jobSample = job.parse(sampleOf(operations.getJob.result));
const operationSample = operationRecord.parse(sampleOf(operations.getOperation.result));

export function aLease(fields: Partial<Lease> = {}): Lease {
  return {
    ...leaseSample,
    id: leaseId,
    name: "web",
    state: "running",
    reason: null,
    line: null,
    pendingResize: false,
    readyAt: "2026-05-04T02:03:05.300Z",
    execution: "emulated",
    price: { ...leaseSample.price, hourly: "0.85" },
    endpoints: [
      {
        service: "ssh",
        host: "127.0.0.1",
        port: 2201,
        user: "root",
        command: "ssh -p 2201 root@127.0.0.1",
      },
    ],
    ...fields,
  };
}

export function aJob(fields: Partial<Job> = {}): Job {
  return {
    ...jobSample,
    id: jobId,
    name: "train",
    state: "running",
    reason: null,
    line: null,
    attempts: [],
    preemptions: [],
    ...fields,
  };
}

type OperationRecord = z.output<typeof operationRecord>;

export function anOperation(fields: Partial<OperationRecord> = {}): OperationRecord {
  return {
    ...operationSample,
    id: operationId,
    kind: "create",
    state: "running",
    reason: null,
    note: null,
    createdAt: "2026-05-04T02:03:04.000Z",
    endedAt:
      fields.state === undefined || fields.state === "running" ? null : "2026-05-04T02:03:05.300Z",
    ...fields,
  };
}

/** A job that ended as `end` says. */
export function endedJob(state: Job["state"], end: Job["attempts"][number]["end"]): Job {
  const attempt = {
    number: 1,
    instanceId: null,
    state: "ended" as const,
    startedAt: "2026-05-04T02:03:04Z",
    endedAt: "2026-05-04T02:03:09Z",
    end,
    billable: true,
    logBytes: 12,
  };
  return aJob({
    state,
    attempts: [attempt],
    createdAt: "2026-05-04T02:03:04Z",
    endedAt: "2026-05-04T02:03:09Z",
  });
}

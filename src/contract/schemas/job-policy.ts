/** The operator's word about jobs: who may preempt whom, how long one may run, when a guest is dead. */
import { z } from "zod";

const workClass = z.enum(["diamond", "gold", "ordinary"]);

const seconds = (max: number): z.ZodInt => z.int().min(0).max(max);

const preemptionRules = z.strictObject({
  enabled: z.boolean(),
  /** Work that waits, and whose attempts may end for it. Leases never do. */
  rules: z.array(z.strictObject({ waiting: workClass, running: workClass })).max(9),
  /** `marked`: only jobs that said they are preemptible; `any`: others of those classes too. */
  victims: z.enum(["marked", "any"]),
  /** Attempts that end for one entry. */
  atOnceMax: z.int().min(1).max(16),
  /** How often one job may be preempted in all. */
  perJobMax: z.int().min(0).max(100),
  /** An attempt that ran less is left alone. */
  ranSecondsMin: seconds(86_400),
  /** An entry waits at least so long before anything ends for it. */
  waitedSecondsMin: seconds(86_400),
});

/** A job may never be allowed more than this, whatever the operator says: 30 days. */
export const timeLimitSecondsBound = 2_592_000;

export const jobPolicy = z.object({
  preemption: preemptionRules,
  /** From the word to the end, for preemptions and for moves. */
  noticeSeconds: z.int().min(1).max(3600),
  /** Longest that a job may run; also for jobs that say nothing (S-07). */
  timeLimitSecondsMax: z.int().min(60).max(timeLimitSecondsBound),
  /** A guest that has not answered for so long is taken for dead (S-08). */
  silentSecondsMax: z.int().min(60).max(86_400),
  /** Once its host has been down for so long, an attempt is given up and its job goes on elsewhere. */
  hostDownSecondsMax: z.int().min(60).max(86_400),
  /** Share of a minute in which work waits for a CPU of its host; above it an alert is raised (S-14). */
  cpuPressurePercentMax: z.int().min(1).max(100),
});
export type JobPolicy = z.output<typeof jobPolicy>;

/** What is left out stays as it is. */
export const jobPolicyBody = z.strictObject({
  preemption: preemptionRules.partial().optional(),
  noticeSeconds: jobPolicy.shape.noticeSeconds.optional(),
  timeLimitSecondsMax: jobPolicy.shape.timeLimitSecondsMax.optional(),
  silentSecondsMax: jobPolicy.shape.silentSecondsMax.optional(),
  hostDownSecondsMax: jobPolicy.shape.hostDownSecondsMax.optional(),
  cpuPressurePercentMax: jobPolicy.shape.cpuPressurePercentMax.optional(),
});
export type JobPolicyBody = z.output<typeof jobPolicyBody>;

/** What holds where the operator has said nothing. */
export const usualJobPolicy: JobPolicy = {
  preemption: {
    enabled: true,
    rules: [
      { waiting: "diamond", running: "gold" },
      { waiting: "diamond", running: "ordinary" },
      { waiting: "gold", running: "ordinary" },
    ],
    victims: "marked",
    atOnceMax: 4,
    perJobMax: 3,
    ranSecondsMin: 60,
    waitedSecondsMin: 60,
  },
  noticeSeconds: 60,
  timeLimitSecondsMax: 259_200,
  silentSecondsMax: 600,
  hostDownSecondsMax: 300,
  cpuPressurePercentMax: 60,
};

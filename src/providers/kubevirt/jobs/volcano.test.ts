/** What is made of what Volcano tells. */
import { expect, test } from "vitest";

import { volcanoSight } from "./observe.ts";
import { read } from "./seen.ts";
import { at, conditions, metadata, pod, ended, saying, facts } from "./test-told.ts";

const volcano = (phase: string) =>
  read.volcanoJob({ metadata, status: { state: { phase, lastTransitionTime: at(60) } } });
const group = (phase: string) =>
  read.podGroup({
    metadata,
    status: {
      phase,
      conditions: conditions([
        { type: "Unschedulable", message: "3/4 tasks in gang unschedulable" },
      ]),
    },
  });

test("Volcano: a queue without room, a gang that waits, an eviction, an end", () => {
  expect(volcanoSight(volcano("Pending"), group("Pending"), facts([])).condition?.code).toBe(
    "quota",
  );
  const waiting = volcanoSight(volcano("Pending"), group("Inqueue"), facts([]));
  expect(waiting.condition?.message).toContain("3/4 tasks");
  const evicted = pod({
    deleted: true,
    main: ended(143, saying("interrupted")),
    conditions: [
      { type: "Ready", status: "False", reason: "Evict", message: "because of reclaim" },
    ],
  });
  const over = volcanoSight(volcano("Terminated"), group("Running"), facts([evicted]));
  expect(over).toMatchObject({ state: "ended", members: [{ by: "preemption" }] });
  const plain = pod({ deleted: true, main: ended(143, saying("interrupted")) });
  const byEvent = { evictSaid: "Pod is evicted, because of reclaim" };
  expect(
    volcanoSight(volcano("Terminated"), group("Running"), facts([plain], byEvent)).members[0]?.by,
  ).toBe("preemption");
  const done = pod({ main: ended(0, saying("exited")) });
  expect(volcanoSight(volcano("Completed"), group("Completed"), facts([done]))).toMatchObject({
    state: "ended",
    members: [{ by: "program" }],
  });
  expect(volcanoSight(undefined, undefined, facts([])).condition?.code).toBe("not_seen_yet");
});

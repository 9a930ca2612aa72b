/** What is sent is what was typed, and what is sent again is what was sent. */
import { expect, test } from "vitest";

import { submitCommand } from "./job-cli.ts";
import {
  again,
  argumentsOf,
  bodyOf,
  emptyForm,
  faultsOf,
  instantIn,
  likeLast,
  quoted,
  type JobForm,
  type JobRequest,
} from "./job-form.ts";

const id = "0190c2b4-0000-7000-8000-000000000001";
const last: JobRequest = {
  name: "train",
  projectId: id,
  flavor: "a100.1",
  image: "tiny",
  command: ["python3", "train.py", "--note", 'it\'s 1 "x"'],
  framework: "pytorch",
  environment: { EPOCHS: "3" },
  inputs: [id],
  timeLimitSeconds: 7200,
  expectedSeconds: 60,
  preemptible: true,
  checkpoint: "cp model.pt $MILLRACE_CHECKPOINT",
  platformRetriesMax: 0,
  members: 4,
  membersHow: "spread",
  near: ["data"],
  apart: [],
};
const good: JobForm = { ...emptyForm, name: "train", flavor: "nano", script: "true" };

test("a job sent again is the same job", () => {
  const { apart, ...rest } = last;
  expect(apart).toEqual([]);
  expect(bodyOf(again(last), "UTC")).toEqual(rest);
});

test("for a new one, only how it ran is taken over, not what ran", () => {
  expect(likeLast(last)).toMatchObject({ flavor: "a100.1", members: 4, retries: 0, name: "" });
  expect(bodyOf(likeLast(last), "UTC")).not.toHaveProperty("environment");
  expect(bodyOf(likeLast(last), "UTC")).not.toHaveProperty("checkpoint");
});

test("what is left out is not sent", () => {
  expect(bodyOf(good, "UTC")).toEqual({ name: "train", flavor: "nano", script: "true" });
});

test.each<readonly [string, Partial<JobForm>, string]>([
  ["no name", { name: "" }, "name"],
  ["markup as a name", { name: "<b>" }, "name"],
  ["an emoji", { name: "🚀" }, "name"],
  ["10,000 characters", { name: "x".repeat(10_000) }, "name"],
  ["no flavor", { flavor: undefined }, "flavor"],
  ["only the interpreter", { script: "#!/bin/sh\n\n" }, "script"],
  ["a script too long", { script: "x".repeat(262_145) }, "script"],
  ["no command", { kind: "command" }, "command"],
  ["an open quote", { kind: "command", command: "echo 'a" }, "command"],
  ["a variable without a name", { environment: [{ name: "", value: "x" }] }, "environment.0"],
  ["a variable of ours", { environment: [{ name: "MILLRACE_X", value: "" }] }, "environment.0"],
  [
    "a variable twice",
    {
      environment: [
        { name: "A", value: "1" },
        { name: "A", value: "2" },
      ],
    },
    "environment.1",
  ],
  ["no members", { members: undefined }, "members"],
  ["too many retries", { retries: 11 }, "platformRetriesMax"],
  ["longer than allowed", { limitMinutes: 5, expectedMinutes: 6 }, "expectedSeconds"],
])("%s is told at its field", (_title, change, path) => {
  expect(faultsOf({ ...good, ...change }).map((fault) => fault.path)).toEqual([path]);
});

test("a good one has no faults, and an empty row of variables is none", () => {
  expect(faultsOf({ ...good, environment: [{ name: "", value: "" }] })).toEqual([]);
});

test("words are cut as a shell cuts them", () => {
  expect(argumentsOf(`  a "b c" 'd "e"' f\\ g h"i"'j' "" `)).toEqual([
    "a",
    "b c",
    'd "e"',
    "f g",
    "hij",
    "",
  ]);
  expect(argumentsOf(`echo "$HOME" '$HOME'`)).toEqual(["echo", "$HOME", "$HOME"]);
  for (const word of ["", "a b", "it's", '"', "\\", "a\nb", "مرحبا", "🚀", "$(x)"]) {
    expect(argumentsOf(quoted(word))).toEqual([word]);
  }
});

test("a deadline is meant in the tenant's zone", () => {
  expect(instantIn("Asia/Shanghai", "2026-05-04T18:00")).toBe("2026-05-04T10:00:00.000Z");
  expect(instantIn("America/New_York", "2026-07-04T18:00")).toBe("2026-07-04T22:00:00.000Z");
  const form = { ...good, deadline: "2026-05-04T18:00" };
  expect(bodyOf(form, "Asia/Shanghai").deadline).toBe("2026-05-04T10:00:00.000Z");
});

test("the same from a shell", () => {
  const form = again({ ...last, inputs: [], near: [] });
  expect(submitCommand(form, bodyOf(form, "UTC"), "default")).toBe(
    "millrace job submit --flavor a100.1 --name train --project default --image tiny --framework pytorch" +
      " --env EPOCHS=3 --time-limit 7200s --expected 60s --retries 0 --preemptible" +
      " --checkpoint 'cp model.pt $MILLRACE_CHECKPOINT' --members 4 --spread" +
      ` -- python3 train.py --note 'it'\\''s 1 "x"'`,
  );
  expect(submitCommand(good, bodyOf(good, "UTC"), undefined)).toBe(
    "millrace job submit train.sh --flavor nano --name train",
  );
});

/**
 * What the form for a job holds, where it comes from (an earlier job), what is wrong with it before it
 * is sent, and what is sent. The rules are the contract's; the server has the last word.
 */
import type { AnswerOf, RequestOf } from "#client/types.ts";

import type { TextKey, Values } from "#console/i18n/index.ts";

export type JobBody = RequestOf<"createJob">["body"];
export type JobRequest = AnswerOf<"getJobRequest">;

export interface Variable {
  readonly name: string;
  readonly value: string;
}

export interface JobForm {
  readonly name: string;
  readonly projectId: string | undefined;
  readonly flavor: string | undefined;
  readonly image: string | undefined;
  readonly kind: "script" | "command";
  readonly script: string;
  /** As typed: a program and its arguments, quoted as in a shell. */
  readonly command: string;
  readonly framework: "none" | "pytorch" | "tensorflow";
  readonly environment: readonly Variable[];
  readonly inputs: readonly string[];
  readonly limitMinutes: number | undefined;
  readonly expectedMinutes: number | undefined;
  /** As a `datetime-local` field has it, in the tenant's zone. */
  readonly deadline: string;
  readonly retries: number | undefined;
  readonly preemptible: boolean;
  readonly checkpoint: string;
  readonly members: number | undefined;
  readonly membersHow: "pack" | "spread";
  readonly group: string;
  readonly near: string;
  readonly apart: string;
}

export const emptyForm: JobForm = {
  name: "",
  projectId: undefined,
  flavor: undefined,
  image: undefined,
  kind: "script",
  script: "#!/bin/sh\n",
  command: "",
  framework: "none",
  environment: [],
  inputs: [],
  limitMinutes: undefined,
  expectedMinutes: undefined,
  deadline: "",
  retries: undefined,
  preemptible: false,
  checkpoint: "",
  members: 1,
  membersHow: "pack",
  group: "",
  near: "",
  apart: "",
};

const secondsPerMinute = 60;

/** How it was run last, without what was run: for something new. */
export function likeLast(last: JobRequest): JobForm {
  const { flavor, image, framework, limitMinutes, retries, preemptible, members, membersHow } =
    again(last);
  const how = { flavor, image, framework, limitMinutes, retries, preemptible, members, membersHow };
  return { ...emptyForm, ...how };
}

/** All of it, to be changed and sent again. */
export function again(job: JobRequest): JobForm {
  return {
    name: job.name,
    projectId: job.projectId,
    flavor: job.flavor,
    image: job.image,
    kind: job.script === undefined ? "command" : "script",
    script: job.script ?? emptyForm.script,
    command: (job.command ?? []).map(quoted).join(" "),
    framework: job.framework,
    environment: Object.entries(job.environment).map(([name, value]) => ({ name, value })),
    inputs: job.inputs,
    limitMinutes: Math.ceil(job.timeLimitSeconds / secondsPerMinute),
    expectedMinutes:
      job.expectedSeconds === undefined
        ? undefined
        : Math.ceil(job.expectedSeconds / secondsPerMinute),
    // Its deadline is over, or of that run.
    deadline: "",
    retries: job.platformRetriesMax,
    preemptible: job.preemptible,
    checkpoint: job.checkpoint ?? "",
    members: job.members,
    membersHow: job.membersHow,
    group: job.group ?? "",
    near: job.near.join(" "),
    apart: job.apart.join(" "),
  };
}

export function bodyOf(form: JobForm, timeZone: string): JobBody {
  const { projectId, image, limitMinutes, expectedMinutes, retries, members = 1 } = form;
  const near = words(form.near);
  const apart = words(form.apart);
  const environment = form.environment.filter(({ name, value }) => name !== "" || value !== "");
  return {
    name: form.name,
    flavor: form.flavor ?? "",
    ...(form.kind === "script"
      ? { script: form.script.replaceAll("\r\n", "\n") }
      : { command: argumentsOf(form.command) ?? [] }),
    ...(projectId === undefined ? {} : { projectId }),
    ...(image === undefined ? {} : { image }),
    ...(form.framework === "none" ? {} : { framework: form.framework }),
    ...(environment.length === 0
      ? {}
      : { environment: Object.fromEntries(environment.map(({ name, value }) => [name, value])) }),
    ...(form.inputs.length === 0 ? {} : { inputs: [...form.inputs] }),
    ...(limitMinutes === undefined ? {} : { timeLimitSeconds: limitMinutes * secondsPerMinute }),
    ...(expectedMinutes === undefined
      ? {}
      : { expectedSeconds: expectedMinutes * secondsPerMinute }),
    ...(form.deadline === "" ? {} : { deadline: instantIn(timeZone, form.deadline) }),
    ...(form.preemptible ? { preemptible: true } : {}),
    ...(form.checkpoint.trim() === "" ? {} : { checkpoint: form.checkpoint }),
    ...(retries === undefined ? {} : { platformRetriesMax: retries }),
    ...(members === 1 ? {} : { members, membersHow: form.membersHow }),
    ...(form.group === "" ? {} : { group: form.group }),
    ...(near.length === 0 ? {} : { near }),
    ...(apart.length === 0 ? {} : { apart }),
  };
}

export interface FormFault {
  /** As the server names the field in its own problems. */
  readonly path: string;
  readonly text: TextKey;
  readonly values?: Values;
}

const label = /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/;
const variableName = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const scriptCharactersMax = 262_144;
const membersMax = 1024;
const retriesMax = 10;

/** What the server would refuse for its form; whether there is room, quota and money it says itself. */
export function faultsOf(form: JobForm): readonly FormFault[] {
  const faults: FormFault[] = [];
  const no = (path: string, text: TextKey, values?: Values): void =>
    void faults.push({ path, text, ...(values === undefined ? {} : { values }) });
  if (form.name === "") no("name", "jobs.wrong.nameMissing");
  else if (!label.test(form.name) || form.name.length > 63) no("name", "jobs.wrong.name");
  if (form.flavor === undefined) no("flavor", "jobs.wrong.flavor");
  if (form.kind === "script") {
    if (isEmptyScript(form.script)) no("script", "jobs.wrong.script");
    else if (form.script.length > scriptCharactersMax) {
      no("script", "jobs.wrong.scriptLong", { count: scriptCharactersMax });
    }
  } else {
    const parsed = argumentsOf(form.command);
    if (parsed === undefined) no("command", "jobs.wrong.quotes");
    else if (parsed.length === 0) no("command", "jobs.wrong.command");
  }
  for (const [at, { name, value }] of form.environment.entries()) {
    if (name === "" && value === "") continue;
    const path = `environment.${at}`;
    const isTwice = form.environment.findIndex((other) => other.name === name) !== at;
    if (!variableName.test(name)) no(path, "jobs.wrong.variable");
    else if (name.startsWith("MILLRACE_")) no(path, "jobs.wrong.variableOurs");
    else if (isTwice) no(path, "jobs.wrong.variableTwice");
  }
  const { members, retries, limitMinutes, expectedMinutes } = form;
  if (members === undefined || members < 1 || members > membersMax) {
    no("members", "jobs.wrong.members", { count: membersMax });
  }
  if (retries !== undefined && (retries < 0 || retries > retriesMax)) {
    no("platformRetriesMax", "jobs.wrong.retries", { count: retriesMax });
  }
  if (limitMinutes !== undefined && limitMinutes < 1) no("timeLimitSeconds", "jobs.wrong.minutes");
  if (expectedMinutes !== undefined && expectedMinutes < 1) {
    no("expectedSeconds", "jobs.wrong.minutes");
  } else if ((expectedMinutes ?? 0) > (limitMinutes ?? Infinity)) {
    no("expectedSeconds", "jobs.wrong.expected");
  }
  if (form.deadline !== "" && Number.isNaN(Date.parse(form.deadline))) {
    no("deadline", "jobs.wrong.deadline");
  }
  return faults;
}

/** Nothing but a line that names the interpreter does nothing. */
function isEmptyScript(script: string): boolean {
  return script.replace(/^#![^\n]*/, "").trim() === "";
}

/** 2026-05-04T18:00 in a zone, as RFC 3339. */
export function instantIn(timeZone: string, local: string): string {
  const asUtc = Date.parse(`${local}Z`);
  // Twice, because the offset is that of the instant, which the first turn only comes near to.
  const first = asUtc - offsetMs(timeZone, asUtc);
  return new Date(asUtc - offsetMs(timeZone, first)).toISOString();
}

function offsetMs(timeZone: string, at: number): number {
  const whole = Math.floor(at / 1000) * 1000;
  const local = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    dateStyle: "short",
    timeStyle: "medium",
  }).format(whole);
  return Date.parse(`${local.replace(" ", "T")}Z`) - whole;
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

/** Words as a shell cuts them, without expanding anything; `undefined` if a quote is left open. */
export function argumentsOf(text: string): string[] | undefined {
  const found: string[] = [];
  const piece = /\s+|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)/y;
  let current: string | undefined;
  while (piece.lastIndex < text.length) {
    const match = piece.exec(text);
    if (match === null) return undefined;
    const [, single, double, escaped, plain] = match;
    const part = single ?? double?.replaceAll(/\\(["\\$`])/g, "$1") ?? escaped ?? plain;
    if (part === undefined) {
      if (current !== undefined) found.push(current);
      current = undefined;
    } else current = `${current ?? ""}${part}`;
  }
  if (current !== undefined) found.push(current);
  return found;
}

export function quoted(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word)
    ? word
    : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** The same job from a shell. The script is in a file there. */
import { argumentsOf, quoted, type JobBody, type JobForm } from "./job-form.ts";

export function submitCommand(
  form: JobForm,
  body: JobBody,
  projectName: string | undefined,
): string {
  const parts = [
    "millrace job submit",
    ...(form.kind === "script" ? [quoted(`${form.name === "" ? "job" : form.name}.sh`)] : []),
    ...flag("flavor", body.flavor),
    ...flag("name", body.name),
    ...flag("project", projectName),
    ...flag("image", body.image),
    ...flag("framework", body.framework),
    ...Object.entries(body.environment ?? {}).flatMap(([name, value]) =>
      flag("env", `${name}=${value}`),
    ),
    ...(body.inputs ?? []).flatMap((id) => flag("stored", id)),
    ...flag("time-limit", seconds(body.timeLimitSeconds)),
    ...flag("expected", seconds(body.expectedSeconds)),
    ...flag("deadline", body.deadline),
    ...flag("retries", body.platformRetriesMax),
    ...(body.preemptible === true ? ["--preemptible"] : []),
    ...flag("checkpoint", body.checkpoint),
    ...flag("members", body.members),
    ...(body.membersHow === "spread" ? ["--spread"] : []),
    ...flag("group", body.group),
    ...(body.near ?? []).flatMap((name) => flag("near", name)),
    ...(body.apart ?? []).flatMap((name) => flag("apart", name)),
    ...(form.kind === "command"
      ? ["--", ...(argumentsOf(form.command) ?? []).map((word) => quoted(word))]
      : []),
  ];
  return parts.join(" ");
}

function flag(name: string, value: string | number | undefined): string[] {
  return value === undefined || value === "" ? [] : [`--${name} ${quoted(String(value))}`];
}

function seconds(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${value}s`;
}

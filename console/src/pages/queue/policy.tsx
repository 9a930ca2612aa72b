/** Who may preempt whom, how long a job may run, when a guest counts as dead. */
import { useState, type FormEvent, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useAction, useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { fieldError, ProblemBox } from "#console/components/problem-box.tsx";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Checkbox, NumberField, RadioGroup, Switch } from "#console/ui/fields.tsx";
import { Card, Grid, Row, Stack } from "#console/ui/layout.tsx";
import { Muted } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

type JobPolicy = AnswerOf<"getJobPolicy">;
type Rule = JobPolicy["preemption"]["rules"][number];

const classes = ["diamond", "gold", "ordinary"] as const;
/** Each with the least and the most that the contract takes. */
const counts = {
  atOnceMax: [1, 16],
  perJobMax: [0, 100],
  ranSecondsMin: [0, 86_400],
  waitedSecondsMin: [0, 86_400],
} as const;
const figures = {
  noticeSeconds: [1, 3600],
  timeLimitSecondsMax: [60, 2_592_000],
  silentSecondsMax: [60, 86_400],
  hostDownSecondsMax: [60, 86_400],
  cpuPressurePercentMax: [1, 100],
} as const;
type Count = keyof typeof counts;
type Figure = keyof typeof figures;
const countNames = ["atOnceMax", "perJobMax", "ranSecondsMin", "waitedSecondsMin"] as const;
const figureNames = [
  "noticeSeconds",
  "timeLimitSecondsMax",
  "silentSecondsMax",
  "hostDownSecondsMax",
  "cpuPressurePercentMax",
] as const;

export function Policy(): ReactNode {
  const { t } = useText();
  const policy = useApi("getJobPolicy");
  if (policy.data === undefined) {
    return policy.error === null ? (
      <Skeleton lines={6} label={t("common.loading")} />
    ) : (
      <ProblemBox error={policy.error} onRetry={() => void policy.refetch()} />
    );
  }
  // What another operator sets meanwhile is what is changed from then on.
  return <PolicyForm key={JSON.stringify(policy.data)} start={policy.data} />;
}

type Draft = { readonly [Name in Count | Figure]: number | undefined } & {
  readonly enabled: boolean;
  readonly victims: "marked" | "any";
  readonly rules: readonly Rule[];
};

function PolicyForm({ start }: { readonly start: JobPolicy }): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("platform.manage");
  const { preemption, ...rest } = start;
  const [draft, setDraft] = useState<Draft>({ ...rest, ...preemption });
  const change = (part: Partial<Draft>): void => setDraft((before) => ({ ...before, ...part }));
  const save = useAction("setJobPolicy", {
    onDone: () => toast({ tone: "good", title: t("queue.policySet") }),
  });
  const isOut = (name: Count | Figure): boolean => {
    const [min, max] = { ...counts, ...figures }[name];
    const value = draft[name];
    return value === undefined || value < min || value > max;
  };
  const errorOf = (name: Count | Figure, path: string): string | undefined => {
    const [min, max] = { ...counts, ...figures }[name];
    return isOut(name) ? t("queue.between", { min, max }) : fieldError(save.error, path);
  };
  const isWrong = [...countNames, ...figureNames].some((name) => isOut(name));
  const body = {
    preemption: {
      enabled: draft.enabled,
      victims: draft.victims,
      rules: [...draft.rules],
      ...valuesOf(draft, countNames),
    },
    ...valuesOf(draft, figureNames),
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (mayManage && !isWrong) save.mutate({ body });
  };
  return (
    <form onSubmit={submit} noValidate aria-label={t("queue.tab.policy")}>
      <Stack>
        <Card title={t("queue.preemption")}>
          <Stack>
            <Switch
              label={t("queue.preemptionOn")}
              description={t("queue.preemptionHelp")}
              isOn={draft.enabled}
              onChange={(enabled) => change({ enabled })}
            />
            <RuleTable rules={draft.rules} onChange={(rules) => change({ rules })} />
            <RadioGroup
              label={t("queue.victims")}
              value={draft.victims}
              choices={[
                { value: "marked", label: t("queue.victimsMarked") },
                { value: "any", label: t("queue.victimsAny") },
              ]}
              onChange={(victims) => change({ victims })}
            />
            <Grid columns={4}>
              {countNames.map((name) => (
                <NumberField
                  key={name}
                  label={t(`queue.policy.${name}`)}
                  value={draft[name]}
                  error={errorOf(name, `preemption.${name}`)}
                  onChange={(value) => change({ [name]: value })}
                />
              ))}
            </Grid>
          </Stack>
        </Card>
        <Card title={t("queue.times")}>
          <Grid columns={3}>
            {figureNames.map((name) => (
              <NumberField
                key={name}
                label={t(`queue.policy.${name}`)}
                value={draft[name]}
                error={errorOf(name, name)}
                onChange={(value) => change({ [name]: value })}
              />
            ))}
          </Grid>
        </Card>
        {save.error === null ? null : <ProblemBox error={save.error} />}
        <Row>
          <Button
            type="submit"
            kind="primary"
            isBusy={save.isPending}
            disabledReason={
              mayManage
                ? isWrong
                  ? t("queue.policyWrong")
                  : undefined
                : t("jobs.whyNot.permission")
            }
          >
            {t("common.save")}
          </Button>
          <ShowAsCli operation="setJobPolicy" request={{ body }} />
        </Row>
      </Stack>
    </form>
  );
}

function valuesOf(
  draft: Draft,
  names: readonly (Count | Figure)[],
): Readonly<Record<string, number>> {
  return Object.fromEntries(names.map((name) => [name, draft[name] ?? 0]));
}

/** Whose work may end whose. */
function RuleTable({
  rules,
  onChange,
}: {
  readonly rules: readonly Rule[];
  readonly onChange: (rules: readonly Rule[]) => void;
}): ReactNode {
  const { t } = useText();
  return (
    <div className="table-wrap">
      <table className="table" aria-label={t("queue.rules")}>
        <thead>
          <tr>
            <th scope="col">
              <Muted size="xs">{t("queue.rulesHelp")}</Muted>
            </th>
            {classes.map((running) => (
              <th key={running} scope="col">
                {t("queue.ends", { name: t(`jobs.classes.${running}`) })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {classes.map((waiting) => (
            <tr key={waiting}>
              <th scope="row">{t(`jobs.classes.${waiting}`)}</th>
              {classes.map((running) => {
                const isOn = rules.some(
                  (rule) => rule.waiting === waiting && rule.running === running,
                );
                const others = rules.filter(
                  (rule) => rule.waiting !== waiting || rule.running !== running,
                );
                return (
                  <td key={running}>
                    <Checkbox
                      ariaLabel={`${t(`jobs.classes.${waiting}`)} → ${t(`jobs.classes.${running}`)}`}
                      isOn={isOn}
                      onChange={(next) =>
                        onChange(next ? [...others, { waiting, running }] : others)
                      }
                    />
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

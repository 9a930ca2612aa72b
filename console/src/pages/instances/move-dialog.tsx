/**
 * The operator takes an instance to another host while it runs: to one that he names, or to one that its
 * platform chooses. Of what cannot move it says why, and what happens instead. It stays until the move is
 * over, since only then it is known where the instance runs.
 */
import { useEffect, useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useAction, useApi } from "#console/api/queries.ts";
import { memoryText } from "#console/components/flavor.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText } from "#console/i18n/index.ts";
import { amountText, type Host } from "#console/pages/infrastructure/fleet.ts";
import { useAllHosts } from "#console/pages/infrastructure/use-fleet.ts";
import { Notice, Skeleton } from "#console/ui/feedback.tsx";
import { Select } from "#console/ui/fields.tsx";
import { Muted, Text } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

import type { Lease } from "./actions.ts";

/** No host has such an id. */
const any = "-";
const lookEveryMs = 1000;

export function MoveDialog({
  leaseId,
  name,
  tenantId,
  onClose,
}: {
  readonly leaseId: string;
  readonly name: string;
  /** Whose it is, where nobody is acted for. */
  readonly tenantId?: string;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  const params = { leaseId };
  const lease = useApi("getLease", { params }, { tenantId, everyMs: lookEveryMs });
  const hosts = useAllHosts();
  const [to, setTo] = useState(any);
  const move = useAction("moveLease", { tenantId });
  const result = useMoveResult(move.data, { lease: lease.data, tenantId });
  const host = result.state === "moved" ? result.host : undefined;
  useEffect(() => {
    if (host === undefined) return;
    toast({ tone: "good", title: t("lease.move.done", { name, host }) });
    onClose();
  }, [host, name, onClose, t]);

  const isPending = lease.data === undefined || hosts.isPending || hosts.hasMore;
  const choices = lease.data === undefined ? [] : hostsFor(lease.data, hosts.items);
  const ability = lease.data?.capabilities?.moveLive;
  const reason = isPending
    ? t("common.loading")
    : ability?.can !== true
      ? t("lease.move.cannot", { name })
      : choices.length === 0
        ? t("lease.move.noHost")
        : undefined;
  const chosen = choices.find(({ id }) => id === to);
  const request = { params, body: chosen === undefined ? {} : { hostId: chosen.id } };
  const named = chosen === undefined ? "" : ` --host ${chosen.name}`;
  return (
    <FormDialog
      title={t("lease.move.title", { name })}
      onClose={onClose}
      onSubmit={() => move.mutate(request)}
      submitLabel={t("lease.move.submit")}
      isBusy={move.isPending || result.state === "moving"}
      error={move.error}
      disabledReason={reason}
      call={{ operation: "moveLease", request, command: `millrace lease move ${name}${named}` }}
    >
      {[lease.error, hosts.error].map((error, index) =>
        // oxlint-disable-next-line react/no-array-index-key -- always these two
        error === null ? null : <ProblemBox key={index} error={error} />,
      )}
      {isPending ? <Skeleton label={t("common.loading")} /> : null}
      {isPending || ability?.can === true ? null : <Cannot lease={lease.data} />}
      {isPending || ability?.can !== true ? null : (
        <Where lease={lease.data} hosts={choices} value={to} onChange={setTo} />
      )}
      {result.state === "moving" ? <Notice tone="info">{t("lease.move.goesOn")}</Notice> : null}
      {result.state === "failed" ? (
        <Notice tone="bad" title={t("lease.move.failed", { name })}>
          {told(result.because)}
        </Notice>
      ) : null}
    </FormDialog>
  );
}

function Where({
  lease,
  hosts,
  value,
  onChange,
}: {
  readonly lease: Lease;
  readonly hosts: readonly Host[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}): ReactNode {
  const { t } = useText();
  if (hosts.length === 0) return <Notice tone="attention">{t("lease.move.noHost")}</Notice>;
  return (
    <>
      <Text>{t("lease.move.text", { host: lease.host ?? "—" })}</Text>
      <Select
        label={t("lease.move.to")}
        isSearchable
        choices={[
          { value: any, label: t("lease.move.any") },
          ...hosts.map((each) => ({
            value: each.id,
            label: t("lease.move.room", {
              name: each.name,
              cpus: amountText(each.cpus - each.cpusUsed),
              memory: memoryText(each.memoryMiB - each.memoryMiBUsed),
            }),
          })),
        ]}
        value={value}
        onChange={(next) => onChange(next ?? any)}
      />
      <Muted>{t("lease.move.listed")}</Muted>
    </>
  );
}

/** Why it stays, and how it gets to another host all the same, if it does. */
function Cannot({ lease }: { readonly lease: Lease }): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  const { name, host, capabilities } = lease;
  if (capabilities === null) return <Notice tone="info">{t("lease.move.noMachine")}</Notice>;
  const { moveLive, startElsewhere } = capabilities;
  const because = (ability: typeof moveLive): string => (ability.can ? "" : told(ability.because));
  return (
    <Notice tone="info" title={t("lease.move.cannot", { name })}>
      <Text>{t("lease.move.because", { because: because(moveLive) })}</Text>
      <Text>
        {startElsewhere.can
          ? t("lease.move.startsElsewhere")
          : t("lease.move.staysThere", { host: host ?? "—", because: because(startElsewhere) })}
      </Text>
    </Notice>
  );
}

/** Where it may go: hosts of its own site and pool that are up and take work. */
function hostsFor(lease: Lease, hosts: readonly Host[]): readonly Host[] {
  const own = hosts.find(({ name }) => name === lease.host);
  if (own === undefined) return [];
  return hosts.filter(
    (host) =>
      host.id !== own.id &&
      host.site === own.site &&
      host.pool === own.pool &&
      host.state === "up" &&
      host.siteAwaySince === null &&
      host.schedulable &&
      !host.maintenance,
  );
}

type MoveResult =
  | { readonly state: "none" | "moving" }
  | { readonly state: "moved"; readonly host: string }
  | { readonly state: "failed"; readonly because: string };

/** Of a move that was asked for: over once the platform said so and the lease says where it is. */
function useMoveResult(
  asked: AnswerOf<"moveLease"> | undefined,
  { lease, tenantId }: { readonly lease: Lease | undefined; readonly tenantId: string | undefined },
): MoveResult {
  const operation = useApi(
    "getOperation",
    { params: { operationId: asked?.operation.id ?? "" } },
    { enabled: asked !== undefined, tenantId, everyMs: lookEveryMs },
  );
  if (asked === undefined) return { state: "none" };
  const { state, reason } = operation.data ?? asked.operation;
  if (state === "failed" || state === "superseded") {
    return { state: "failed", because: reason?.message ?? "" };
  }
  const host = lease?.host ?? null;
  return state === "succeeded" && host !== null && host !== asked.lease.host
    ? { state: "moved", host }
    : { state: "moving" };
}

/** The members of a group, each an instance of its own, with what they use. */
import type { ReactNode } from "react";

import { StateBadge } from "#console/components/state-badge.tsx";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Card } from "#console/ui/layout.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Muted } from "#console/ui/text.tsx";

import { signals, type Group } from "./scaling.ts";

export function Members({ group }: { readonly group: Group }): ReactNode {
  const { t } = useText();
  return (
    <Card title={t("groups.members")}>
      {group.members.length === 0 ? (
        <Muted>{t("groups.noMembers")}</Muted>
      ) : (
        <div className="table-wrap">
          <table className="table" aria-label={t("groups.members")}>
            <thead>
              <tr>
                <th scope="col">{t("common.name")}</th>
                <th scope="col">{t("common.state")}</th>
                {signals.map((signal) => (
                  <th key={signal} scope="col" className="end">
                    {t(`lease.signals.${signal}`)}
                  </th>
                ))}
                <th scope="col">{t("lease.seenAt")}</th>
              </tr>
            </thead>
            <tbody>
              {group.members.map((member) => (
                <tr key={member.leaseId}>
                  <td className="nowrap">
                    <TextLink to="/instances/$leaseId" params={{ leaseId: member.leaseId }}>
                      {member.name}
                    </TextLink>
                  </td>
                  <td style={{ minWidth: "7.5rem" }}>
                    <StateBadge of="lease" state={member.state} />
                  </td>
                  {signals.map((signal) => (
                    <td key={signal} className="end tabular">
                      {figureText(member.figures[signal], signal)}
                    </td>
                  ))}
                  <td className="nowrap">
                    <When at={member.seenAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function figureText(value: number | null, signal: (typeof signals)[number]): string {
  if (value === null) return "—";
  const rounded = Math.round(value * 10) / 10;
  return signal === "sessions" ? String(rounded) : `${rounded} %`;
}

/** What the program prints, of one attempt or all that come, of one member of several. */
import type { ReactNode } from "react";

import { DownloadButton } from "#console/components/download.tsx";
import { LiveLog } from "#console/components/live-log.tsx";
import { useSearchParams } from "#console/components/search-params.ts";
import { sizeText } from "#console/components/size-text.ts";
import { useText } from "#console/i18n/index.ts";
import { Select } from "#console/ui/fields.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";

import type { Job } from "./actions.ts";

export function JobLog({ job }: { readonly job: Job }): ReactNode {
  const { t } = useText();
  const [search, setSearch] = useSearchParams({ attempt: number, member: number });
  const members = job.gang?.members ?? null;
  const member = members?.find(({ rank }) => String(rank) === search.member);
  const attempts = (member?.attempts ?? job.attempts).filter(({ startedAt }) => startedAt !== null);
  const attempt = attempts.find((each) => String(each.number) === search.attempt);
  const shown = attempt ?? attempts.at(-1);
  const query = {
    ...(member === undefined ? {} : { member: member.rank }),
    ...(attempt === undefined ? {} : { attempt: attempt.number }),
  };
  const request = { params: { jobId: job.id }, query };
  return (
    <Stack gap="sm">
      <Row justify="space-between" align="flex-end">
        <div className="filters">
          {members === null ? null : (
            <Select
              label={t("jobs.member")}
              choices={members.map(({ rank, name }) => ({
                value: String(rank),
                label: `${rank} · ${name}`,
              }))}
              value={String(member?.rank ?? 0)}
              onChange={(next) => setSearch({ member: next, attempt: undefined })}
            />
          )}
          {attempts.length < 2 ? null : (
            <Select
              label={t("jobs.attemptOf")}
              placeholder={t("jobs.attemptNewest")}
              isClearable
              choices={attempts.map((each) => ({
                value: String(each.number),
                label: t("jobs.attempt", { number: each.number }),
              }))}
              value={search.attempt}
              onChange={(next) => setSearch({ attempt: next })}
            />
          )}
        </div>
        <DownloadButton
          isLarge
          operation="readJobLog"
          request={request}
          fileName={`${member?.name ?? job.name}.log`}
          label={
            shown === undefined
              ? t("common.download")
              : t("jobs.logDownload", { size: sizeText(shown.logBytes) })
          }
          size="xs"
          disabledReason={shown === undefined ? t("jobs.logNone") : undefined}
        />
      </Row>
      <LiveLog operation="followJobLog" request={request} height={520} />
    </Stack>
  );
}

const number = (text: string): string | undefined => (/^[0-9]{1,4}$/.test(text) ? text : undefined);

/**
 * A draft of the price profile: the text of the one it is based on, edited here or taken from a file,
 * checked while one types, with what changes beside it.
 */
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState, type FormEvent, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useAction, useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { PageHead } from "#console/components/page-head.tsx";
import { fieldError, ProblemBox } from "#console/components/problem-box.tsx";
import { anyText, useSearchParams } from "#console/components/search-params.ts";
import { ShowAsCli } from "#console/components/show-as-cli.tsx";
import { sizeText } from "#console/components/size-text.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Skeleton } from "#console/ui/feedback.tsx";
import { TextArea, TextField } from "#console/ui/fields.tsx";
import { Card, Row, Stack, WithAside } from "#console/ui/layout.tsx";
import { toast } from "#console/ui/toast.tsx";

import { CheckResult } from "./check-result.tsx";
import { Differences } from "./differences.tsx";
import { differencesOf } from "./profile-diff.ts";
import { versionName } from "./profile-state.ts";
import { yamlOf } from "./profile-yaml.ts";
import { useCheck } from "./use-check.ts";
import { ordered } from "./sections.ts";
import { useVersions } from "./use-versions.ts";

const fileBytesMax = 1_000_000;

export function NewPriceProfilePage(): ReactNode {
  const { t } = useText();
  const [{ from }] = useSearchParams({ from: anyText(40) });
  const { query, versions, current } = useVersions();
  const baseId = from ?? current?.id ?? versions[0]?.id;
  const base = useApi(
    "getPriceProfile",
    { params: { profileId: baseId ?? "" } },
    { enabled: baseId !== undefined },
  );
  const error = base.error ?? query.error;
  const isPending = query.isPending || (baseId !== undefined && base.data === undefined);
  return (
    <>
      <PageHead
        title={t("prices.createTitle")}
        lead={t("prices.createLead")}
        parent={{ to: "/operate/prices", label: t("prices.title") }}
      />
      {error !== null ? (
        <ProblemBox error={error} onRetry={() => void base.refetch()} />
      ) : isPending ? (
        <Skeleton lines={10} label={t("common.loading")} />
      ) : (
        <Editor key={baseId ?? ""} base={base.data} />
      )}
    </>
  );
}

function Editor({ base }: { readonly base: AnswerOf<"getPriceProfile"> | undefined }): ReactNode {
  const { t } = useText();
  const may = useMay();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [text, setText] = useState(() => (base === undefined ? "" : yamlOf(ordered(base.profile))));
  const check = useCheck(text, t("prices.theText"));
  const create = useAction("createPriceProfile", {
    onDone: ({ id }) => {
      toast({ tone: "good", title: t("prices.saved") });
      void navigate({ to: "/operate/prices/$profileId", params: { profileId: id } });
    },
  });
  const profile = check.kind === "checked" ? check.profile : {};
  const request = { body: { name: name.trim(), profile: { ...profile } } };
  const reason = !may("catalog.manage")
    ? t("prices.mayNot")
    : check.kind === "checking"
      ? t("prices.checkFirst")
      : check.kind !== "checked" || check.problems.length > 0
        ? t("prices.problemsFirst")
        : name.trim() === ""
          ? t("prices.nameFirst")
          : undefined;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (reason === undefined && !create.isPending) create.mutate(request);
  };
  return (
    <form onSubmit={submit} noValidate>
      <WithAside
        aside={
          <Stack>
            <div aria-live="polite">
              <CheckResult check={check} />
            </div>
            {create.error === null ? null : <ProblemBox error={create.error} />}
            <Button type="submit" kind="primary" isBusy={create.isPending} disabledReason={reason}>
              {t("prices.saveDraft")}
            </Button>
            <ShowAsCli
              operation="createPriceProfile"
              request={request}
              command="millrace profile create NAME --file new.yaml"
            />
          </Stack>
        }
      >
        <Stack>
          <TextField
            label={t("prices.name")}
            description={t("prices.nameHelp")}
            value={name}
            onChange={setName}
            maxLength={100}
            required
            error={fieldError(create.error, "name")}
          />
          <TextArea
            label={t("prices.text")}
            description={t("prices.textHelp")}
            value={text}
            onChange={setText}
            isCode
            rows={18}
            rowsMax={30}
          />
          <LoadFile onText={setText} />
          {base !== undefined && check.kind === "checked" && check.problems.length === 0 ? (
            <Card title={t("prices.changesFrom", { name: versionName(base) })}>
              <Stack gap="sm">
                <Differences differences={differencesOf(base.profile, check.profile)} />
              </Stack>
            </Card>
          ) : null}
        </Stack>
      </WithAside>
    </form>
  );
}

function LoadFile({ onText }: { readonly onText: (text: string) => void }): ReactNode {
  const { t } = useText();
  const input = useRef<HTMLInputElement>(null);
  const load = async (file: File): Promise<void> => {
    if (file.size > fileBytesMax) {
      toast({ tone: "bad", title: t("prices.tooLarge", { size: sizeText(fileBytesMax) }) });
      return;
    }
    onText(await file.text());
  };
  return (
    <Row>
      <Button icon="upload" onClick={() => input.current?.click()}>
        {t("prices.loadFile")}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={t("prices.loadFile")}
        accept=".yaml,.yml,.json"
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          // The same file may be chosen again.
          event.currentTarget.value = "";
          if (file !== undefined) void load(file);
        }}
      />
    </Row>
  );
}

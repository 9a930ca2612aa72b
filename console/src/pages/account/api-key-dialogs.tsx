/** Making an API key, and the one look at its secret. */
import { useState, type ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useAction } from "#console/api/queries.ts";
import { CodeBlock, CopyLine } from "#console/components/copy.tsx";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { useSession } from "#console/api/session.ts";
import { Button } from "#console/ui/button.tsx";
import { Notice } from "#console/ui/feedback.tsx";
import { RadioGroup, Select, TextField } from "#console/ui/fields.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Dialog } from "#console/ui/dialog.tsx";
import { Text } from "#console/ui/text.tsx";

type Made = AnswerOf<"createApiKey">;

const lives = ["7", "30", "90", "365", "never"] as const;
type Life = (typeof lives)[number];

export function CreateKeyDialog({
  onClose,
  onMade,
}: {
  readonly onClose: () => void;
  readonly onMade: (made: Made) => void;
}): ReactNode {
  const { t } = useText();
  const { tenant } = useSession();
  const [name, setName] = useState("");
  const [scope, setScope] = useState<Made["scope"]>("all");
  const [life, setLife] = useState<Life>("90");
  const create = useAction("createApiKey", { onDone: onMade });
  const request = {
    body: {
      name: name.trim(),
      scope,
      ...(life === "never" ? {} : { expiresInDays: Number(life) }),
    },
  };
  return (
    <FormDialog
      title={t("account.api.add")}
      onClose={onClose}
      submitLabel={t("account.api.add")}
      isBusy={create.isPending}
      error={create.error}
      disabledReason={name.trim() === "" ? t("account.nameNeeded") : undefined}
      call={{ operation: "createApiKey", request }}
      onSubmit={() => create.mutate(request)}
    >
      <TextField
        label={t("common.name")}
        description={t("account.api.nameHelp")}
        value={name}
        onChange={setName}
        maxLength={100}
        autoFocus
        required
        error={fieldError(create.error, "name")}
      />
      <RadioGroup
        label={t("account.api.scope")}
        value={scope}
        onChange={setScope}
        choices={[
          { value: "all", label: t("account.scope.all"), description: t("account.api.allText") },
          { value: "read", label: t("account.scope.read"), description: t("account.api.readText") },
          ...(tenant.kind === "operator"
            ? [
                {
                  value: "usage.write" as const,
                  label: t("account.scope.usage"),
                  description: t("account.api.usageText"),
                },
              ]
            : []),
        ]}
      />
      <Select
        label={t("account.api.expires")}
        value={life}
        onChange={(next) => setLife(next ?? "90")}
        choices={lives.map((value) => ({
          value,
          label:
            value === "never"
              ? t("account.api.noExpiry")
              : t("account.api.inDays", { count: Number(value) }),
        }))}
      />
    </FormDialog>
  );
}

export function SecretDialog({
  made,
  onClose,
}: {
  readonly made: Made;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={t("account.api.madeTitle", { name: made.name })}
      closeLabel={t("common.close")}
      size="lg"
    >
      <Stack>
        <Notice tone="attention" title={t("account.api.once")}>
          {t("account.api.onceText")}
        </Notice>
        <CopyLine text={made.secret} label={t("account.api.copySecret")} />
        <Text isMuted size="sm">
          {t("account.api.useIt")}
        </Text>
        <CodeBlock
          wraps
          text={`export MILLRACE_URL=${location.origin}\nexport MILLRACE_KEY=${made.secret}\nmillrace whoami`}
        />
        <Row justify="flex-end">
          <Button kind="primary" onClick={onClose}>
            {t("account.api.saved")}
          </Button>
        </Row>
      </Stack>
    </Dialog>
  );
}

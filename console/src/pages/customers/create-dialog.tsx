/** A new customer: the account, its zone, and the administrator's first key, shown this once. */
import { useState, type ReactNode } from "react";

import { useAction } from "#console/api/queries.ts";
import { FormDialog } from "#console/components/form-dialog.tsx";
import { fieldError } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { SecretDialog } from "#console/pages/account/api-key-dialogs.tsx";
import { Select, TextField } from "#console/ui/fields.tsx";

const zoneDefault = "Asia/Shanghai";

export function CreateDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useText();
  const [name, setName] = useState("");
  const [displayName, setDisplayName] = useState("");
  const [timeZone, setTimeZone] = useState(zoneDefault);
  const create = useAction("createTenant");
  if (create.data !== undefined) {
    return <SecretDialog made={create.data.administrator} onClose={onClose} />;
  }
  const shown = displayName.trim();
  const request = {
    body: {
      name,
      ...(shown === "" ? {} : { displayName: shown }),
      ...(timeZone === zoneDefault ? {} : { timeZone }),
    },
  };
  return (
    <FormDialog
      title={t("customers.add")}
      onClose={onClose}
      submitLabel={t("common.create")}
      isBusy={create.isPending}
      error={create.error}
      disabledReason={name === "" ? t("account.nameNeeded") : undefined}
      call={{ operation: "createTenant", request }}
      onSubmit={() => create.mutate(request)}
    >
      <TextField
        label={t("customers.name")}
        description={t("account.dnsName")}
        value={name}
        onChange={(next) => setName(next.toLowerCase())}
        maxLength={63}
        autoFocus
        isCode
        required
        error={fieldError(create.error, "name")}
      />
      <TextField
        label={t("customers.displayName")}
        description={t("customers.displayNameHelp")}
        value={displayName}
        onChange={setDisplayName}
        maxLength={100}
        error={fieldError(create.error, "displayName")}
      />
      <Select
        label={t("customers.zone")}
        description={t("customers.zoneHelp")}
        value={timeZone}
        onChange={(next) => setTimeZone(next ?? zoneDefault)}
        isSearchable
        choices={zones().map((value) => ({ value, label: value }))}
        error={fieldError(create.error, "timeZone")}
      />
    </FormDialog>
  );
}

function zones(): readonly string[] {
  const known = Intl.supportedValuesOf("timeZone");
  return known.includes(zoneDefault) ? known : [zoneDefault, ...known];
}

/** What is rarely changed: user data, restarts, and beside what it is to lie. Closed at first. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useText } from "#console/i18n/index.ts";
import { RadioGroup, TextArea, TextField } from "#console/ui/fields.tsx";
import { Grid, Stack } from "#console/ui/layout.tsx";

import { faultText, type RentParts } from "./rent-machine.tsx";
import { userDataCharactersMax } from "./rent-form.ts";

export function RentBesides({
  image,
  ...parts
}: RentParts & { readonly image: AnswerOf<"listImages">["items"][number] | undefined }): ReactNode {
  const { t } = useText();
  const { form, change } = parts;
  const takesUserData = image?.takesUserData === true;
  return (
    <details className="card more-card">
      <summary>{t("rent.more")}</summary>
      <Stack>
        <TextArea
          label={t("rent.userData")}
          description={
            takesUserData
              ? t("rent.userDataHelp")
              : t("rent.userDataNot", { image: image?.name ?? "" })
          }
          value={form.userData}
          onChange={(userData) => change({ userData })}
          error={faultText(parts, "userData", t)}
          disabled={!takesUserData && form.userData === ""}
          maxLength={userDataCharactersMax}
          placeholder="#cloud-config"
          rows={4}
          isCode
        />
        <RadioGroup
          label={t("rent.restart")}
          value={form.restart}
          onChange={(restart) => change({ restart })}
          choices={[
            { value: "on-failure", label: t("rent.restarts.on-failure") },
            { value: "never", label: t("rent.restarts.never") },
          ]}
        />
        <Grid columns={3}>
          <TextField
            label={t("rent.group")}
            description={t("rent.groupHelp")}
            value={form.group}
            onChange={(group) => change({ group })}
            error={faultText(parts, "group", t)}
            maxLength={63}
            isCode
          />
          <TextField
            label={t("rent.near")}
            description={t("rent.nearHelp")}
            value={form.near}
            onChange={(near) => change({ near })}
            error={faultText(parts, "near", t)}
            maxLength={1100}
            isCode
          />
          <TextField
            label={t("rent.apart")}
            description={t("rent.apartHelp")}
            value={form.apart}
            onChange={(apart) => change({ apart })}
            error={faultText(parts, "apart", t)}
            maxLength={1100}
            isCode
          />
        </Grid>
      </Stack>
    </details>
  );
}

/** Of the machine: its name, project, image, disk, who may log in, what it does first. */
import type { ReactNode } from "react";
import type { AnswerOf } from "#client/types.ts";

import { useApi } from "#console/api/queries.ts";
import { isProblem } from "#console/api/problem.ts";
import { useMay } from "#console/api/session.ts";
import { memoryText } from "#console/components/flavor.ts";
import { fieldError } from "#console/components/problem-box.tsx";
import { useServerWords } from "#console/components/server-words.ts";
import { useText, type Translate } from "#console/i18n/index.ts";
import { useProject } from "#console/shell/project.tsx";
import { NumberField, Select, TextField } from "#console/ui/fields.tsx";
import { Card, Grid, Stack } from "#console/ui/layout.tsx";

import type { faultsOf } from "./rent-form.ts";
import { quotaLeft, type Fault, type RentForm } from "./rent-form.ts";
import { RentKeys } from "./rent-keys.tsx";

type Offer = AnswerOf<"listOffers">["items"][number];
type Image = AnswerOf<"listImages">["items"][number];

export interface RentParts {
  readonly form: RentForm;
  readonly change: (changes: Partial<RentForm>) => void;
  readonly faults: ReturnType<typeof faultsOf>;
  /** What the server said of the last try. */
  readonly error: unknown;
}

/** What is known here first; else what the server said of the field. */
export function faultText(
  { faults, error }: Pick<RentParts, "faults" | "error">,
  field: keyof RentParts["faults"],
  t: Translate,
): string | undefined {
  const fault: Fault | undefined = faults[field];
  return fault === undefined ? fieldError(error, field) : t(`rent.fault.${fault}`);
}

export function RentMachine({
  offer,
  images,
  image,
  ...parts
}: RentParts & {
  readonly offer: Offer;
  readonly images: readonly Image[];
  readonly image: Image | undefined;
}): ReactNode {
  const { t } = useText();
  const told = useServerWords();
  const { form, change, faults } = parts;
  const may = useMay();
  const chosenProject = useProject();
  const projects = useApi(
    "listProjects",
    { query: { limit: 200 } },
    { enabled: may("tenant.read") },
  );
  const quota = useApi("getQuota", {}, { enabled: may("tenant.read") });
  const left = quota.data === undefined ? undefined : quotaLeft(quota.data, undefined);
  const items = projects.data?.items ?? [];
  const { flavor } = offer;
  const isNameTaken = faults.name === undefined && isProblem(parts.error, "conflict");
  return (
    <Card title={t("rent.machine")}>
      <Stack>
        <Grid columns={2}>
          <TextField
            label={t("common.name")}
            description={
              left === undefined
                ? t("rent.nameHelp")
                : `${t("rent.nameHelp")} ${t("rent.leasesLeft", { count: left.leases })}`
            }
            value={form.name}
            onChange={(name) => change({ name })}
            error={isNameTaken ? t("rent.fault.nameTaken") : faultText(parts, "name", t)}
            required
            maxLength={63}
            autoComplete="off"
            placeholder="my-machine"
            isCode
          />
          <Select
            label={t("instances.project")}
            description={t("rent.projectHelp")}
            choices={items.map(({ id, name }) => ({ value: id, label: name }))}
            value={
              form.projectId ?? chosenProject ?? items.find((each) => each.name === "default")?.id
            }
            onChange={(projectId) => change({ projectId })}
            error={fieldError(parts.error, "projectId")}
          />
          <Select
            label={t("rent.image")}
            description={told(image?.description ?? "")}
            choices={images.map((each) => ({
              value: each.name,
              label: each.name,
              disabled: each.minMemoryMiB > flavor.memoryMiB,
            }))}
            value={image?.name}
            onChange={(name) => change({ image: name ?? "" })}
            error={faultText(parts, "image", t)}
          />
          <NumberField
            label={t("rent.disk")}
            description={t("rent.diskHelp", {
              size: memoryText(flavor.diskGiB * 1024),
              left: left === undefined ? "—" : memoryText(left.diskGiB * 1024),
            })}
            value={form.diskGiB ?? flavor.diskGiB}
            onChange={(diskGiB) => change({ diskGiB })}
            min={flavor.diskGiB}
            max={65_536}
            suffix=" GiB"
            error={faultText(parts, "diskGiB", t)}
          />
        </Grid>
        <RentKeys form={form} change={change} error={parts.error} />
      </Stack>
    </Card>
  );
}

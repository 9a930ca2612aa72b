/** What is sold: flavors, and the images that machines start from. */
import { useState, type ReactNode } from "react";

import { PageHead } from "#console/components/page-head.tsx";
import { oneOf, useSearchParams } from "#console/components/search-params.ts";
import { useText } from "#console/i18n/index.ts";
import { useMay } from "#console/api/session.ts";
import { Button } from "#console/ui/button.tsx";
import { Tabs } from "#console/ui/tabs.tsx";

import { FlavorDialog } from "./flavor-dialog.tsx";
import { FlavorsTab } from "./flavors-tab.tsx";
import { ImagesTab } from "./images-tab.tsx";

export function CatalogPage(): ReactNode {
  const { t } = useText();
  const may = useMay();
  const [{ tab = "flavors" }, setSearch] = useSearchParams({ tab: oneOf(["flavors", "images"]) });
  const [isAdding, setAdding] = useState(false);
  return (
    <>
      <PageHead
        title={t("infrastructure.catalog.title")}
        lead={t("infrastructure.catalog.lead")}
        actions={
          tab === "images" ? undefined : (
            <Button
              kind="primary"
              icon="plus"
              onClick={() => setAdding(true)}
              disabledReason={may("catalog.manage") ? undefined : t("infrastructure.readOnly")}
            >
              {t("infrastructure.flavors.add")}
            </Button>
          )
        }
      />
      <Tabs
        label={t("infrastructure.catalog.title")}
        value={tab}
        onChange={(next) => setSearch({ tab: next === "flavors" ? undefined : next }, "step")}
        tabs={[
          {
            value: "flavors",
            label: t("infrastructure.flavors.title"),
            content: () => <FlavorsTab />,
          },
          {
            value: "images",
            label: t("infrastructure.images.title"),
            content: () => <ImagesTab />,
          },
        ]}
      />
      {isAdding ? <FlavorDialog onClose={() => setAdding(false)} /> : null}
    </>
  );
}

/** The customer's money: what is there, recording what came in, and every line of the ledger. */
import { useState, type ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { Money } from "#console/components/money.tsx";
import { useText } from "#console/i18n/index.ts";
import { TopUpDialog } from "#console/pages/billing/top-up-dialog.tsx";
import { JournalsTab } from "#console/pages/billing/statements/journals-tab.tsx";
import { Button } from "#console/ui/button.tsx";
import { Card, Facts, Row, Stack } from "#console/ui/layout.tsx";
import { Figure, Heading } from "#console/ui/text.tsx";

import { Answered } from "./answered.tsx";

export function MoneyTab(): ReactNode {
  const { t } = useText();
  const mayManage = useMay()("billing.manage");
  const balance = useApi("getBalance", {}, { everyMs: 60_000 });
  const [isOpen, setOpen] = useState(false);
  const close = (): void => setOpen(false);
  return (
    <Stack>
      <Card
        title={t("customers.balance")}
        action={
          <Button
            size="xs"
            kind="primary"
            icon="plus"
            onClick={() => setOpen(true)}
            disabledReason={mayManage ? undefined : t("customers.operatorOnly")}
          >
            {t("billing.topUp")}
          </Button>
        }
      >
        <Answered of={balance} lines={2}>
          {(of) => (
            <Stack>
              <Row gap="xl">
                <Figure label={t("customers.available")}>
                  <Money amount={of.available} />
                </Figure>
                <Figure label={t("customers.balance")}>
                  <Money amount={of.balance} />
                </Figure>
                <Figure label={t("customers.owed")}>
                  <Money amount={of.owed} />
                </Figure>
              </Row>
              <Facts
                rows={[
                  [t("customers.held"), <Money key="held" amount={of.held} />],
                  [t("customers.provisional"), <Money key="used" amount={of.provisional} />],
                  [t("customers.principal"), <Money key="paid" amount={of.packages.principal} />],
                  [t("customers.bonus"), <Money key="bonus" amount={of.packages.bonus} />],
                ]}
              />
            </Stack>
          )}
        </Answered>
      </Card>
      <Heading level={2}>{t("customers.ledger")}</Heading>
      <JournalsTab />
      {isOpen ? <TopUpDialog onClose={close} onDone={close} /> : null}
    </Stack>
  );
}

/**
 * A button that saves a file of the storage. For oneself the browser loads it, however large it is; for
 * a customer for whom the operator acts it is fetched here, because only a call can name him.
 */
import { useState, type ReactNode } from "react";
import type { LooseRequest, OperationIdOver } from "#client/types.ts";

import { actingTenant } from "#console/api/acting.ts";
import { addressOf, streamLoose } from "#console/api/client.ts";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Stack } from "#console/ui/layout.tsx";

export function SaveButton({
  operation,
  request,
  fileName,
  label,
  disabledReason,
  size = "sm",
}: {
  readonly operation: OperationIdOver<"bytes">;
  readonly request: LooseRequest;
  readonly fileName: string;
  readonly label?: string;
  readonly disabledReason?: string | undefined;
  readonly size?: "xs" | "sm";
}): ReactNode {
  const { t } = useText();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const save = async (): Promise<void> => {
    setError(null);
    if (actingTenant() === undefined) {
      click(addressOf(operation, request), fileName);
      return;
    }
    setBusy(true);
    try {
      const response = await streamLoose(operation, request, { accept: "*/*" });
      const address = URL.createObjectURL(await response.blob());
      click(address, fileName);
      URL.revokeObjectURL(address);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Stack gap="xs">
      <div>
        <Button
          size={size}
          icon="download"
          isBusy={isBusy}
          disabledReason={disabledReason}
          onClick={() => void save()}
        >
          {label ?? t("common.download")}
        </Button>
      </div>
      {error === null ? null : <ProblemBox error={error} />}
    </Stack>
  );
}

function click(address: string, fileName: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = fileName;
  document.body.append(link);
  link.click();
  link.remove();
}

/**
 * A file from the server, saved under the name that it says. The page fetches it: only so does the call
 * name the customer whom the operator means, and a refusal is shown in words. What may be larger than a
 * page can hold is loaded by the browser itself, where nobody has to be named.
 */
import { useState, type ReactNode } from "react";
import type { OperationIdOver, RequestOf } from "#client/types.ts";

import { addressOf, looseOf, streamLoose } from "#console/api/client.ts";
import { ApiProblem } from "#console/api/problem.ts";
import { useNamedTenant } from "#console/api/tenant.ts";
import { told, useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { toast } from "#console/ui/toast.tsx";

export function DownloadButton<Id extends OperationIdOver<"bytes">>({
  operation,
  request,
  fileName,
  label,
  disabledReason,
  size = "xs",
  isLarge = false,
  tenantId,
}: {
  readonly operation: Id;
  readonly request: RequestOf<Id>;
  /** If the server says none. */
  readonly fileName: string;
  readonly label?: string;
  readonly disabledReason?: string | undefined;
  readonly size?: "xs" | "sm";
  /** It may have gigabytes: results, files, logs. */
  readonly isLarge?: boolean;
  /** Of another customer than the part of the page that it stands in. */
  readonly tenantId?: string;
}): ReactNode {
  const { t } = useText();
  const named = useNamedTenant();
  const [isBusy, setBusy] = useState(false);
  const ofTenant = tenantId ?? named?.id;
  const run = async (): Promise<void> => {
    const loose = looseOf(request);
    if (isLarge && ofTenant === undefined) {
      click(addressOf(operation, loose), fileName);
      return;
    }
    setBusy(true);
    try {
      const options = { accept: "*/*", tenantId: ofTenant };
      const response = await streamLoose(operation, loose, options);
      save(await response.blob(), nameIn(response) ?? fileName);
    } catch (error) {
      toast({ tone: "bad", title: t("common.download"), text: wordsOf(error) });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button
      size={size}
      icon="download"
      isBusy={isBusy}
      disabledReason={disabledReason}
      onClick={() => void run()}
    >
      {label ?? t("common.download")}
    </Button>
  );
}

function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  click(address, name);
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function click(address: string, name: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const sentence = told(error.message);
  const id = error instanceof ApiProblem ? error.requestId : undefined;
  return id === undefined ? sentence : `${sentence} (${id})`;
}

function nameIn(response: Response): string | undefined {
  const header = response.headers.get("content-disposition") ?? "";
  const encoded = /filename\*=UTF-8''([^;]+)/.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

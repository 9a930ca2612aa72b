/**
 * A file from the server, saved under the name that it says. Fetched by the page, not by a link: only so
 * does the call name the customer whom the operator acts for, and a refusal is shown in words.
 */
import { useState, type ReactNode } from "react";

import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { toast } from "#console/ui/toast.tsx";

export function DownloadButton({
  load,
  name,
  label,
  size = "xs",
}: {
  readonly load: () => Promise<Response>;
  /** If the server says none. */
  readonly name: string;
  readonly label: string;
  readonly size?: "xs" | "sm";
}): ReactNode {
  const { t } = useText();
  const [isBusy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      const response = await load();
      save(await response.blob(), nameIn(response) ?? name);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      toast({ tone: "bad", title: t("common.download"), text });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button size={size} icon="download" isBusy={isBusy} onClick={() => void run()}>
      {label}
    </Button>
  );
}

function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
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

/** Files from the person's machine to the tenant's storage, each with its progress. */
import { useRef, useState, type ReactNode } from "react";

import { isProblem } from "#console/api/problem.ts";
import { refresh } from "#console/api/queries.ts";
import { useMay } from "#console/api/session.ts";
import { storableName, uploadFile, type StoredFile } from "#console/api/upload.ts";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { sizeText } from "#console/components/size-text.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import { Progress } from "#console/ui/feedback.tsx";
import { Row, Stack } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";

interface Going {
  readonly key: number;
  readonly name: string;
  readonly sizeBytes: number;
  readonly share: number;
  readonly error?: unknown;
  readonly stop: () => void;
}

export function Uploader({
  onStored,
}: {
  readonly onStored?: (file: StoredFile) => void;
}): ReactNode {
  const { t } = useText();
  const mayUse = useMay()("compute.use");
  const input = useRef<HTMLInputElement>(null);
  const nextKey = useRef(1);
  const [going, setGoing] = useState<readonly Going[]>([]);
  const change = (key: number, part: Partial<Going>): void =>
    setGoing((all) => all.map((each) => (each.key === key ? { ...each, ...part } : each)));
  const drop = (key: number): void => setGoing((all) => all.filter((each) => each.key !== key));
  const send = async (file: File): Promise<void> => {
    const key = nextKey.current;
    nextKey.current += 1;
    const stop = new AbortController();
    const name = storableName(file.name);
    setGoing((all) => [
      ...all,
      { key, name, sizeBytes: file.size, share: 0, stop: () => stop.abort() },
    ]);
    try {
      const stored = await uploadFile(file, name, {
        signal: stop.signal,
        onShare: (share) => change(key, { share }),
      });
      drop(key);
      refresh("listFiles", "getQuota");
      onStored?.(stored);
    } catch (error) {
      if (stop.signal.aborted) drop(key);
      else change(key, { error });
    }
  };
  const sendAll = async (files: readonly File[]): Promise<void> => {
    // One after the other: together they would only share the line.
    // oxlint-disable-next-line no-await-in-loop -- as said
    for (const file of files) await send(file);
  };
  return (
    <Stack gap="sm">
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={t("files.upload")}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = "";
          void sendAll(files);
        }}
      />
      <div>
        <Button
          icon="upload"
          disabledReason={mayUse ? undefined : t("files.noPermission")}
          onClick={() => input.current?.click()}
        >
          {t("files.upload")}
        </Button>
      </div>
      {going.map((each) => (
        <Stack key={each.key} gap="xs">
          <Row justify="space-between">
            <Text size="sm">
              {each.name} <Muted>{sizeText(each.sizeBytes)}</Muted>
            </Text>
            <Button
              size="xs"
              kind="quiet"
              onClick={() => (each.error === undefined ? each.stop() : drop(each.key))}
            >
              {each.error === undefined ? t("files.stop") : t("common.close")}
            </Button>
          </Row>
          {each.error === undefined ? (
            <Progress share={each.share} label={t("files.uploading", { name: each.name })} />
          ) : (
            <ProblemBox error={each.error} />
          )}
          {isProblem(each.error, "quota_exceeded") ? <Muted>{t("files.fullHelp")}</Muted> : null}
        </Stack>
      ))}
    </Stack>
  );
}

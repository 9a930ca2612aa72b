/**
 * Selected rows and what is done to them at once. Before it is done one sees to which of them it
 * will be done and which are left out, each with the reason.
 */
import { useMemo, useState, type ReactNode } from "react";

import { queryClient } from "#console/api/queries.ts";
import { useText } from "#console/i18n/index.ts";
import { Button } from "#console/ui/button.tsx";
import type { IconName } from "#console/ui/icons.tsx";
import { Row } from "#console/ui/layout.tsx";
import { Muted, Text } from "#console/ui/text.tsx";
import { toast } from "#console/ui/toast.tsx";

import { ConfirmDialog } from "./confirm-dialog.tsx";

export interface Selection<Item> {
  /** Of those that are shown. */
  readonly selected: readonly Item[];
  readonly isAll: boolean;
  readonly has: (key: string) => boolean;
  readonly set: (key: string, isOn: boolean) => void;
  readonly setAll: (isOn: boolean) => void;
}

export interface BulkAction<Item> {
  readonly key: string;
  readonly label: string;
  readonly icon: IconName;
  readonly isDangerous?: boolean;
  readonly title: (count: number) => string;
  readonly text: string;
  /** Why it cannot be done to this one; `undefined` when it can. */
  readonly refuse: (item: Item) => string | undefined;
  readonly run: (item: Item) => Promise<unknown>;
}

export function useSelection<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): Selection<Item> {
  const [keys, setKeys] = useState<ReadonlySet<string>>(new Set());
  return useMemo(() => {
    const selected = items.filter((item) => keys.has(keyOf(item)));
    return {
      selected,
      isAll: items.length > 0 && selected.length === items.length,
      has: (key) => keys.has(key),
      set: (key, isOn) => {
        const next = new Set(keys);
        if (isOn) next.add(key);
        else next.delete(key);
        setKeys(next);
      },
      setAll: (isOn) => setKeys(new Set(isOn ? items.map((item) => keyOf(item)) : [])),
    };
  }, [items, keys, keyOf]);
}

export function BulkBar<Item>({
  actions,
  selection,
  nameOf,
}: {
  readonly actions: readonly BulkAction<Item>[];
  readonly selection: Selection<Item>;
  readonly nameOf: (item: Item) => string;
}): ReactNode {
  const { t } = useText();
  const [asked, setAsked] = useState<BulkAction<Item>>();
  const { selected } = selection;
  if (selected.length === 0) return null;
  return (
    <div className="card bulk-bar" role="toolbar" aria-label={t("common.actions")}>
      <Row gap="xs">
        <Text isStrong>{t("common.table.selected", { count: selected.length })}</Text>
        {actions.map((action) => (
          <Button
            key={action.key}
            size="xs"
            icon={action.icon}
            onClick={() => setAsked(action)}
            disabledReason={
              selected.every((item) => action.refuse(item) !== undefined)
                ? t("common.table.nothingToDo")
                : undefined
            }
          >
            {action.label}
          </Button>
        ))}
        <Button size="xs" kind="quiet" onClick={() => selection.setAll(false)}>
          {t("common.table.clear")}
        </Button>
      </Row>
      {asked === undefined ? null : (
        <BulkDialog
          action={asked}
          items={selected}
          nameOf={nameOf}
          onClose={() => setAsked(undefined)}
        />
      )}
    </div>
  );
}

const namesMax = 20;

/** Also for one item: the same question wherever it is asked. */
export function BulkDialog<Item>({
  action,
  items,
  nameOf,
  onClose,
}: {
  readonly action: BulkAction<Item>;
  readonly items: readonly Item[];
  readonly nameOf: (item: Item) => string;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const able = items.filter((item) => action.refuse(item) === undefined);
  const left = items.filter((item) => action.refuse(item) !== undefined);
  const run = async (): Promise<void> => {
    setBusy(true);
    const outcomes = await Promise.allSettled(able.map((item) => action.run(item)));
    setBusy(false);
    void queryClient.invalidateQueries();
    const failed = outcomes.filter((outcome) => outcome.status === "rejected");
    const done = able.length - failed.length;
    if (done > 0) {
      toast({
        tone: "good",
        title: action.label,
        text: t("common.table.applied", { count: done }),
      });
    }
    if (failed.length === 0) onClose();
    else setFailure(failed[0]?.reason);
  };
  return (
    <ConfirmDialog
      isOpen
      onClose={onClose}
      onConfirm={() => void run()}
      // While it is asked, another tab may have left nothing to do.
      title={able.length === 0 ? action.label : action.title(able.length)}
      disabledReason={able.length === 0 ? t("common.table.nothingToDo") : undefined}
      confirmLabel={action.label}
      isDangerous={action.isDangerous ?? false}
      isBusy={isBusy}
      error={failure}
    >
      <Text>{action.text}</Text>
      <ul className="name-list">
        {able.slice(0, namesMax).map((item) => (
          <li key={nameOf(item)}>{nameOf(item)}</li>
        ))}
        {able.length > namesMax ? <li>… +{able.length - namesMax}</li> : null}
      </ul>
      {left.length === 0 ? null : (
        <div>
          <Muted>{t("common.table.leftOut", { count: left.length })}</Muted>
          <ul className="name-list">
            {left.slice(0, namesMax).map((item) => (
              <li key={nameOf(item)}>
                {nameOf(item)}: {action.refuse(item)}
              </li>
            ))}
          </ul>
        </div>
      )}
    </ConfirmDialog>
  );
}

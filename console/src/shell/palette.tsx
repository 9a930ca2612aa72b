/**
 * Ctrl-K: pages, instances, jobs and the operator's customers by name, from the keyboard. What is found
 * comes in an order that does not change while one types on: pages first. Who types faster than it is
 * found goes where he would have gone had he waited.
 */
import { useNavigate } from "@tanstack/react-router";
import {
  useCallback,
  useDeferredValue,
  useEffect,
  useId,
  useState,
  type KeyboardEvent,
  type ReactNode,
} from "react";

import { useApi } from "#console/api/queries.ts";
import { useText } from "#console/i18n/index.ts";
import { pages } from "#console/routes.tsx";
import { TextField } from "#console/ui/fields.tsx";
import { Icon, type IconName } from "#console/ui/icons.tsx";
import { Dialog } from "#console/ui/dialog.tsx";
import { Muted } from "#console/ui/text.tsx";

import { useMay } from "#console/api/session.ts";

interface Entry {
  readonly key: string;
  readonly icon: IconName;
  readonly label: string;
  readonly kind: string;
  readonly to: string;
  readonly params?: Readonly<Record<string, string>>;
}

const foundMax = 8;
const nameCharactersMax = 100;

export function Palette({
  isOpen,
  onClose,
}: {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}): ReactNode {
  const { t } = useText();
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title={t("shell.palette.open")}
      closeLabel={t("common.close")}
      size="lg"
    >
      <Search onClose={onClose} />
    </Dialog>
  );
}

function Search({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { t } = useText();
  const listId = useId();
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const wanted = typed.trim().toLowerCase();
  // Under load the list is of what was typed a moment ago.
  const shown = useDeferredValue(wanted);
  const { entries, isReading } = useEntries(shown);
  const [chosen, setChosen] = useState({ of: "", index: 0 });
  const at = chosen.of === shown ? Math.min(chosen.index, Math.max(0, entries.length - 1)) : 0;
  const selected = entries[at];
  /** Enter was pressed before it was known where that leads. */
  const [isEntered, setEntered] = useState(false);
  const isKnown = shown === wanted && !isReading;
  const go = useCallback(
    (entry: Entry | undefined): void => {
      if (entry === undefined) return;
      onClose();
      void navigate({ to: entry.to, params: entry.params ?? {} });
    },
    [onClose, navigate],
  );
  useEffect(() => {
    if (!isEntered || !isKnown) return;
    setEntered(false);
    go(selected);
  }, [isEntered, isKnown, selected, go]);
  const type = (text: string): void => {
    setTyped(text);
    setEntered(false);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      const index = (at + step + entries.length) % Math.max(1, entries.length);
      setChosen({ of: shown, index });
    }
    if (event.key === "Enter") {
      event.preventDefault();
      if (shown === wanted && selected !== undefined) go(selected);
      else setEntered(true);
    }
  };
  return (
    <div
      role="combobox"
      aria-expanded="true"
      aria-haspopup="listbox"
      aria-controls={listId}
      aria-label={t("shell.palette.open")}
    >
      <TextField
        label={t("shell.palette.placeholder")}
        description={t("shell.palette.hint")}
        value={typed}
        onChange={type}
        onKeyDown={onKeyDown}
        autoComplete="off"
        autoFocus
      />
      <ul className="palette-list" role="listbox" id={listId} aria-label={t("shell.palette.open")}>
        {entries.map((entry, index) => (
          <li
            key={entry.key}
            role="option"
            aria-selected={index === at}
            className="palette-option"
            ref={
              index === at ? (element) => element?.scrollIntoView({ block: "nearest" }) : undefined
            }
            onClick={() => go(entry)}
            onMouseMove={() => setChosen({ of: shown, index })}
          >
            <Icon name={entry.icon} />
            <bdi style={{ flex: 1 }}>{entry.label}</bdi>
            <Muted size="xs">{entry.kind}</Muted>
          </li>
        ))}
      </ul>
      {entries.length === 0 ? <Muted>{t("shell.palette.nothing")}</Muted> : null}
    </div>
  );
}

function useEntries(wanted: string): {
  readonly entries: readonly Entry[];
  /** More of them may be on their way. */
  readonly isReading: boolean;
} {
  const { t } = useText();
  const may = useMay();
  const mayLook = may("compute.read") && wanted.length > 1;
  const query = { limit: 100 };
  const leases = useApi("listLeases", { query }, { enabled: mayLook, keepsLast: true });
  const jobs = useApi("listJobs", { query }, { enabled: mayLook, keepsLast: true });
  const maySell = may("platform.read") && wanted.length > 1;
  const customers = useApi(
    "listCustomers",
    { query: { limit: foundMax, nameHas: wanted.slice(0, nameCharactersMax) } },
    { enabled: maySell, keepsLast: true },
  );
  const matches = (label: string): boolean => label.toLowerCase().includes(wanted);
  const found: Entry[] = pages
    .filter((page) => !page.path.includes("$") && may(page.permission))
    .map((page) => ({
      key: page.path,
      icon: page.nav?.icon ?? "right",
      label: t(page.title),
      kind: t("shell.palette.pages"),
      to: page.path,
    }));
  const named = (
    items: readonly { readonly id: string; readonly name: string }[] | undefined,
    of: (id: string) => Omit<Entry, "key" | "label">,
  ): Entry[] =>
    (mayLook ? (items ?? []) : [])
      .filter((item) => matches(item.name))
      .slice(0, foundMax)
      .map(({ id, name }) => ({ key: id, label: name, ...of(id) }));
  const entries = [
    ...found.filter((entry) => matches(entry.label)),
    ...named(leases.data?.items, (leaseId) => ({
      icon: "server",
      kind: t("shell.palette.instance"),
      to: "/instances/$leaseId",
      params: { leaseId },
    })),
    ...named(jobs.data?.items, (jobId) => ({
      icon: "job",
      kind: t("shell.palette.job"),
      to: "/jobs/$jobId",
      params: { jobId },
    })),
    ...(maySell ? (customers.data?.items ?? []) : [])
      .filter(({ name, displayName }) => matches(name) || matches(displayName))
      .map(({ id, displayName }) => ({
        key: id,
        icon: "team" as const,
        label: displayName,
        kind: t("shell.palette.customer"),
        to: "/operate/customers/$tenantId",
        params: { tenantId: id },
      })),
  ];
  const isReading = [leases, jobs, customers].some((each) => each.isFetching);
  return { entries, isReading };
}

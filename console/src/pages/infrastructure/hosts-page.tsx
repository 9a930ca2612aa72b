/** Hosts with what is used of them, and the places that they stand in. */
import type { ReactNode } from "react";

import { DataTable, type Column } from "#console/components/data-table.tsx";
import { EmptyState } from "#console/components/empty-state.tsx";
import { Gauge } from "#console/components/gauge.tsx";
import { PageHead } from "#console/components/page-head.tsx";
import { anyText, oneOf, useSearchParams } from "#console/components/search-params.ts";
import { When } from "#console/components/when.tsx";
import { useText } from "#console/i18n/index.ts";
import { Badge } from "#console/ui/feedback.tsx";
import { Select, TextField } from "#console/ui/fields.tsx";
import { TextLink } from "#console/ui/link.tsx";
import { Tabs } from "#console/ui/tabs.tsx";
import { Muted } from "#console/ui/text.tsx";

import { amountText, gpuLine, type Host } from "./fleet.ts";
import { useAllHosts } from "./use-fleet.ts";
import { HostState } from "./host-state.tsx";
import { PlacesTab } from "./places-tab.tsx";

export function HostsPage(): ReactNode {
  const { t } = useText();
  const [{ tab = "hosts" }, setSearch] = useSearchParams({ tab: oneOf(["hosts", "places"]) });
  return (
    <>
      <PageHead title={t("infrastructure.hosts.title")} lead={t("infrastructure.hosts.lead")} />
      <Tabs
        label={t("infrastructure.hosts.title")}
        value={tab}
        onChange={(next) => setSearch({ tab: next === "hosts" ? undefined : next }, "step")}
        tabs={[
          { value: "hosts", label: t("infrastructure.hosts.list"), content: () => <HostsTab /> },
          {
            value: "places",
            label: t("infrastructure.places.title"),
            content: () => <PlacesTab />,
          },
        ]}
      />
    </>
  );
}

const states = ["up", "away", "cordoned", "down", "sick"] as const;

function HostsTab(): ReactNode {
  const { t } = useText();
  const hosts = useAllHosts();
  const [filters, setFilters] = useSearchParams({
    name: anyText(63),
    place: anyText(200),
    gpu: anyText(63),
    state: oneOf(states),
  });
  const places = [...new Set(hosts.items.map(placeOf))].toSorted();
  const models = [
    ...new Set(hosts.items.flatMap(({ gpus }) => gpus.map(({ model }) => model))),
  ].toSorted();
  const items = hosts.items.filter(
    (host) =>
      (filters.name === undefined || host.name.includes(filters.name.trim().toLowerCase())) &&
      (filters.place === undefined || placeOf(host) === filters.place) &&
      (filters.gpu === undefined || host.gpus.some(({ model }) => model === filters.gpu)) &&
      (filters.state === undefined || isIn(host, filters.state)),
  );
  return (
    <DataTable
      label={t("infrastructure.hosts.title")}
      pages={{ ...hosts, items }}
      columns={useColumns()}
      keyOf={(host) => host.id}
      isFiltered={Object.values(filters).some((value) => value !== undefined)}
      onClearFilters={() =>
        setFilters({ name: undefined, place: undefined, gpu: undefined, state: undefined })
      }
      filters={
        <div className="filters">
          <TextField
            label={t("common.name")}
            value={filters.name ?? ""}
            maxLength={63}
            onChange={(name) => setFilters({ name: name === "" ? undefined : name })}
          />
          <Select
            label={t("infrastructure.hosts.place")}
            placeholder={t("common.all")}
            isClearable
            choices={places.map((value) => ({ value, label: value }))}
            value={filters.place}
            onChange={(place) => setFilters({ place })}
          />
          <Select
            label="GPU"
            placeholder={t("common.all")}
            isClearable
            choices={models.map((value) => ({ value, label: value }))}
            value={filters.gpu}
            onChange={(gpu) => setFilters({ gpu })}
          />
          <Select
            label={t("common.state")}
            placeholder={t("common.all")}
            isClearable
            choices={states.map((value) => ({
              value,
              label: t(`infrastructure.hosts.filter.${value}`),
            }))}
            value={filters.state}
            onChange={(state) => setFilters({ state })}
          />
        </div>
      }
      empty={
        <EmptyState
          icon="host"
          title={t("infrastructure.hosts.empty")}
          text={t("infrastructure.hosts.emptyText")}
        />
      }
    />
  );
}

function useColumns(): readonly Column<Host>[] {
  const { t } = useText();
  return [
    {
      key: "name",
      head: t("common.name"),
      isTitle: true,
      cell: (host) => (
        <TextLink to="/operate/hosts/$hostId" params={{ hostId: host.id }}>
          {host.name}
        </TextLink>
      ),
    },
    { key: "state", head: t("common.state"), cell: (host) => <HostState host={host} /> },
    {
      key: "gpus",
      head: "GPU",
      cell: (host) => {
        const sick = host.gpus.filter(({ healthy }) => !healthy).length;
        if (host.gpus.length === 0) return <Muted>—</Muted>;
        const used = host.gpus.reduce((sum, gpu) => sum + gpu.used, 0);
        return (
          <>
            <Gauge
              share={used / host.gpus.length}
              label="GPU"
              text={`${amountText(used)} / ${host.gpus.length}`}
            />
            <Muted size="xs">{gpuLine(host.gpus)}</Muted>
            {sick === 0 ? null : (
              <Badge tone="bad" icon="alert">
                {t("infrastructure.overview.sick", { count: sick })}
              </Badge>
            )}
          </>
        );
      },
    },
    {
      key: "cpus",
      head: "CPU",
      cell: (host) => (
        <Gauge
          share={host.cpus === 0 ? 0 : host.cpusUsed / host.cpus}
          label="CPU"
          text={`${amountText(host.cpusUsed)} / ${host.cpus}`}
        />
      ),
    },
    {
      key: "memory",
      head: t("infrastructure.memory"),
      cell: (host) => (
        <Gauge
          share={host.memoryMiB === 0 ? 0 : host.memoryMiBUsed / host.memoryMiB}
          label={t("infrastructure.memory")}
          text={`${amountText(host.memoryMiBUsed / 1024)} / ${amountText(host.memoryMiB / 1024)} GiB`}
        />
      ),
    },
    {
      key: "pool",
      head: t("infrastructure.pool"),
      cell: (host) => host.pool ?? <Muted>{t("infrastructure.noPool")}</Muted>,
    },
    { key: "place", head: t("infrastructure.hosts.place"), cell: placeOf },
    {
      key: "seen",
      head: t("infrastructure.hosts.seen"),
      cell: (host) => <When at={host.seenAt} />,
    },
  ];
}

function placeOf(host: Host): string {
  return `${host.zone} / ${host.pod} / ${host.cluster}`;
}

function isIn(host: Host, state: (typeof states)[number]): boolean {
  if (state === "sick") return host.gpus.some(({ healthy }) => !healthy);
  if (state === "cordoned") return !host.schedulable;
  if (state === "away") return host.siteAwaySince !== null;
  return host.siteAwaySince === null && host.state === state;
}

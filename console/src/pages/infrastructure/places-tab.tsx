/** Zones, pods, clusters, their hosts and their storage, as a tree. */
import type { ReactNode } from "react";

import { useApi } from "#console/api/queries.ts";
import { EmptyState } from "#console/components/empty-state.tsx";
import { ProblemBox } from "#console/components/problem-box.tsx";
import { useText } from "#console/i18n/index.ts";
import { Skeleton } from "#console/ui/feedback.tsx";
import { Icon } from "#console/ui/icons.tsx";
import { Card, Facts, Row, Stack } from "#console/ui/layout.tsx";
import { Heading, Muted } from "#console/ui/text.tsx";
import { TextLink } from "#console/ui/link.tsx";

import { useAllHosts } from "./use-fleet.ts";

export function PlacesTab(): ReactNode {
  const { t } = useText();
  const places = useApi("getPlaces");
  const hosts = useAllHosts();
  if (places.data === undefined) {
    return places.error === null ? (
      <Skeleton lines={8} label={t("common.loading")} />
    ) : (
      <ProblemBox error={places.error} onRetry={() => void places.refetch()} />
    );
  }
  const idOf = (name: string, cluster: string): string | undefined =>
    hosts.items.find((host) => host.name === name && host.cluster === cluster)?.id;
  if (places.data.zones.length === 0) {
    return <EmptyState icon="zone" title={t("infrastructure.places.empty")} />;
  }
  return (
    <Stack>
      {places.data.zones.map((zone) => (
        <Card
          key={zone.name}
          title={
            <Row gap="xs">
              <Icon name="zone" />
              {zone.name}
            </Row>
          }
        >
          <Stack>
            {zone.secondaryStorage.length === 0 ? null : (
              <Facts
                rows={[
                  [
                    t("infrastructure.places.secondary"),
                    zone.secondaryStorage.map(({ name, kind }) => `${name} (${kind})`).join(", "),
                  ],
                ]}
              />
            )}
            {zone.pods.map((pod) => (
              <Stack key={pod.name} gap="sm">
                <Row gap="sm">
                  <Heading level={3}>{t("infrastructure.places.pod", { name: pod.name })}</Heading>
                  {pod.subnet === null ? null : <Muted>{pod.subnet}</Muted>}
                </Row>
                {pod.clusters.map((cluster) => (
                  <Facts
                    key={cluster.name}
                    rows={[
                      [
                        t("infrastructure.places.cluster", { name: cluster.name }),
                        <Muted key="site">
                          {t("infrastructure.places.site", { name: cluster.site })}
                        </Muted>,
                      ],
                      [
                        t("infrastructure.places.primary"),
                        cluster.primaryStorage
                          .map(({ name, kind, sizeGiB }) => `${name} (${kind}, ${sizeGiB} GiB)`)
                          .join(", ") || "—",
                      ],
                      [
                        t("infrastructure.hosts.list"),
                        <Row key="hosts" gap="sm">
                          {cluster.hosts.map((name) => {
                            const hostId = idOf(name, cluster.name);
                            return hostId === undefined ? (
                              <span key={name}>{name}</span>
                            ) : (
                              <TextLink key={name} to="/operate/hosts/$hostId" params={{ hostId }}>
                                {name}
                              </TextLink>
                            );
                          })}
                          {cluster.hosts.length === 0 ? <Muted>—</Muted> : null}
                        </Row>,
                      ],
                    ]}
                  />
                ))}
              </Stack>
            ))}
          </Stack>
        </Card>
      ))}
    </Stack>
  );
}

/** The way of the programs beside customers' jobs to the API, as the chart makes and says it. */
import { expect, test } from "vitest";
import { z } from "zod";

import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { attemptLabel } from "#providers/kubevirt/jobs/names.ts";

import { jobLines, labelSelector } from "./job-lines.ts";
import { deployment, meta, objects, ofKind, selects, service } from "./objects.ts";

const image = "registry.example.org/millrace-agent:1";

test("without an image there is nothing to say, and no way", () => {
  expect(jobLines({})).toBeUndefined();
  expect(JSON.stringify(objects({}))).not.toContain(attemptLabel);
});

test("in its own cluster they find the API's Service, and its pods alone", () => {
  const over = { jobs: { agentImage: image }, service: { port: 8080 } };
  const found = jobLines(over);
  const url = new URL(found?.agentUrl ?? "");
  expect([found?.agentImage, url.pathname, url.protocol]).toEqual([image, "/job-agent", "http:"]);
  const [name = "", namespace] = url.hostname.split(".");
  expect(namespace).toBe("millrace");
  const services = ofKind(objects(over), "Service", service);
  const reached = services.find(({ metadata }) => metadata.name === name);
  expect(reached?.spec.ports).toMatchObject([{ port: Number(url.port), targetPort: "http" }]);
  const peer = z
    .object({ namespaceSelector: labelSelector, podSelector: labelSelector })
    .parse(found?.agentPeer);
  expect(peer.namespaceSelector.matchLabels).toEqual({ "kubernetes.io/metadata.name": "millrace" });
  const pods = ofKind(objects(over), "Deployment", deployment).filter(({ spec }) =>
    selects(peer.podSelector.matchLabels, spec.template.metadata.labels),
  );
  expect(pods.map(({ metadata }) => metadata.name)).toEqual(["cloud-millrace-api"]);
  // Network rules speak of the pods' port, which is not the Service's.
  const listening = pods.flatMap(({ spec }) => spec.template.spec.containers[0]?.ports ?? []);
  expect(found?.agentPorts).toEqual(
    listening.flatMap(({ name: port, containerPort }) => (port === "http" ? containerPort : [])),
  );
});

test("elsewhere it is what the operator says", () => {
  const agentUrl = "https://cloud.example.org/job-agent";
  const agentPeer = { ipBlock: { cidr: "192.0.2.7/32" } };
  expect(jobLines({ jobs: { agentImage: image, agentUrl, agentPeer } })).toEqual({
    agentImage: image,
    agentUrl,
    agentPeer,
  });
  const agentPorts = [8443];
  expect(jobLines({ jobs: { agentImage: image, agentUrl, agentPeer, agentPorts } })).toMatchObject({
    agentPorts,
  });
});

const rule = z.object({
  ports: z.array(z.object({ port: z.union([z.string(), z.int()]) })),
  from: z.array(z.looseObject({})).optional(),
});
const policy = meta.extend({ spec: z.object({ ingress: z.array(rule).default([]) }) });

function ofJobs(rules: readonly z.infer<typeof rule>[]): readonly z.infer<typeof rule>[] {
  return rules.filter((each) => JSON.stringify(each).includes(attemptLabel));
}

test("where not everybody reaches the API, pods of jobs do: its port for requests, and no other", () => {
  const from = [
    { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ingress" } } },
  ];
  const over = { jobs: { agentImage: image }, networkPolicy: { apiFrom: from, metricsFrom: from } };
  const policies = ofKind(objects(over), "NetworkPolicy", policy);
  const [api, work] = ["api", "work"].map((which) =>
    policies.find(({ metadata }) => metadata.name.endsWith(`-${which}`)),
  );
  expect(ofJobs(api?.spec.ingress ?? [])).toEqual([
    {
      ports: [{ port: "http" }],
      from: [
        {
          namespaceSelector: { matchExpressions: [{ key: labelKeys.tenant, operator: "Exists" }] },
          podSelector: { matchExpressions: [{ key: attemptLabel, operator: "Exists" }] },
        },
      ],
    },
  ]);
  expect(api?.spec.ingress).toHaveLength(3);
  expect(ofJobs(work?.spec.ingress ?? [])).toEqual([]);
  // Everybody reaches it where nobody is named.
  const open = ofKind(objects({ jobs: { agentImage: image } }), "NetworkPolicy", policy);
  expect(open.flatMap(({ spec }) => ofJobs(spec.ingress))).toEqual([]);
});

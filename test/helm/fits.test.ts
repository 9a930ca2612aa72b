/** The chart fits the program: its options, its ports, its metrics, and what it may do in the cluster. */
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { z } from "zod";

import { readConfig } from "#config/config.ts";
import { clusterSettings } from "#providers/kubevirt/driver/settings.ts";
import { jobKinds } from "#providers/kubevirt/objects/jobs.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

import { chartFolder, map } from "./chart.ts";
import { clusterRole, deployment, meta, objects, ofKind, service, valueFiles } from "./objects.ts";

const root = resolve(import.meta.dirname, "../..");
const operate = join(root, "docs/operate");
const all = objects("ci/all-on.yaml");

describe.each(valueFiles)("the processes with %s", (file) => {
  test("get options that the program has, and listen where they are asked", () => {
    const deployments = ofKind(objects(file), "Deployment", deployment);
    expect(deployments).toHaveLength(2);
    for (const { spec } of deployments) {
      const [container] = spec.template.spec.containers;
      const env = Object.fromEntries(
        (container?.env ?? []).map(({ name, value }) => [name, value]),
      );
      expect(Object.keys(env)).toContain("DATABASE_URL");
      // A value that an option does not take is refused here; a name that none has would be passed over.
      const args = container?.args ?? [];
      const config = readConfig(args, { ...env, DATABASE_URL: "postgres://millrace@db/millrace" });
      const given = Object.keys(env)
        .filter((name) => name.startsWith("MILLRACE_"))
        .map((name) =>
          name
            .slice("MILLRACE_".length)
            .toLowerCase()
            .replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
        );
      expect(given.filter((name) => !(name in config))).toEqual([]);
      expect(config).toMatchObject({ local: "off", host: "0.0.0.0" });
      const ports = Object.fromEntries(
        (container?.ports ?? []).map(({ name, containerPort }) => [name, containerPort]),
      );
      const http = config.role === "serve" ? { http: config.port } : {};
      expect(ports).toEqual({ metrics: config.metricsPort, ...http });
      const mounts = new Map(
        container?.volumeMounts.map(({ name, mountPath }) => [name, mountPath]),
      );
      expect(mounts.get("data")).toBe(config.dataDirectory);
      expect(mounts.get("storage")).toBe(config.storageDirectory);
      const secret = mounts.get("log-key");
      expect(config.logKeyFile).toBe(secret === undefined ? undefined : `${secret}/log-key`);
    }
  });
});

test("the program takes what is said of clusters, and finds each file where it is told", () => {
  const configMap = meta.extend({ data: z.record(z.string(), z.string()) });
  const found = ofKind(all, "ConfigMap", configMap).find(({ metadata }) =>
    metadata.name.endsWith("-clusters"),
  );
  const files = Object.entries(found?.data ?? {});
  const settings = files.map(([, text]) => clusterSettings.parse(parseYaml(text)));
  expect(settings.map(({ site, kubeconfig }) => [site, kubeconfig])).toEqual([
    ["here", undefined],
    ["east", "/etc/millrace-kubeconfigs/east"],
  ]);
  for (const { spec } of ofKind(all, "Deployment", deployment)) {
    const [container] = spec.template.spec.containers;
    const env = new Map((container?.env ?? []).map(({ name, value }) => [name, value]));
    const { clusters } = readConfig([], { MILLRACE_CLUSTERS: env.get("MILLRACE_CLUSTERS") });
    const mounts = container?.volumeMounts.map(({ name, mountPath }) => [name, mountPath]);
    expect(clusters).toEqual(files.map(([name]) => `/etc/millrace-clusters/${name}`));
    expect(mounts).toContainEqual(["clusters", "/etc/millrace-clusters"]);
    expect(mounts).toContainEqual(["kubeconfigs", "/etc/millrace-kubeconfigs"]);
  }
  // Of this cluster, without the right to do anything there.
  const clusters = [{ site: "here" }];
  expect(() => objects({ kubernetes: { clusters } })).toThrow("kubernetes.enabled");
});

describe("what it may do in the cluster", () => {
  const file = z
    .strictObject({
      rules: z.array(
        z.strictObject({
          group: z.string(),
          resources: z.array(z.string()).min(1),
          with: z.enum(["kueue", "volcano"]).optional(),
          for: z.array(z.enum(["work", "api"])).min(1),
          verbs: z.partialRecord(z.enum(["work", "api"]), z.array(z.string()).min(1)),
          why: z.string().min(10),
        }),
      ),
      withheld: z.record(z.string(), z.string().min(5)),
    })
    .parse(parseYaml(readFileSync(join(chartFolder, "files/permissions.yaml"), "utf8")));
  const allowed = file.rules.flatMap(({ group, resources }) =>
    resources.map((resource) => `${group}/${resource.split("/")[0] ?? ""}`),
  );

  test("every kind that the driver knows is asked for, or left out for a reason, and no other", () => {
    const known = new Set<string>(
      Object.values({ ...kinds, ...jobKinds }).map(({ group, plural: name }) => `${group}/${name}`),
    );
    expect([...new Set(allowed)].filter((each) => !known.has(each))).toEqual([]);
    const left = [...known].filter((each) => !allowed.includes(each));
    // A new kind of the driver gets a rule, or a reason, in files/permissions.yaml.
    expect(left.map((each) => each.split("/")[1] ?? "").toSorted()).toEqual(
      Object.keys(file.withheld).toSorted(),
    );
  });

  test("nothing is asked for that the driver does not use: a right of which only a plan speaks is none", () => {
    const sources = globSync("src/providers/kubevirt/{driver,tenants}/**/*.ts", { cwd: root })
      .filter((path) => !path.includes(".test."))
      .map((path) => readFileSync(join(root, path), "utf8"))
      .join("\n");
    // Handed on to the accounts that clone images, and named in their Role as a word.
    const handedOn = new Set(["datasources"]);
    const unused = Object.entries({ ...kinds, ...jobKinds }).flatMap(([key, { group, plural }]) => {
      const isUsed = new RegExp(`[kK]inds\\.${key}\\b`).test(sources);
      const isAsked = allowed.includes(`${group}/${plural}`);
      return isAsked && !isUsed && !handedOn.has(plural) ? [plural] : [];
    });
    expect(unused).toEqual([]);
    for (const plural of handedOn) expect(sources).toContain(`"${plural}"`);
  });

  test("the roles say what the file says, once for each process", () => {
    const roles = ofKind(all, "ClusterRole", clusterRole);
    for (const process of ["api", "work"] as const) {
      const role = roles.find(({ metadata }) => metadata.name.endsWith(`-${process}`));
      expect(role?.rules).toEqual(
        file.rules
          .filter((rule) => rule.for.includes(process))
          .map(({ group, resources, verbs }) => ({
            apiGroups: [group],
            resources,
            verbs: verbs[process],
          })),
      );
    }
    for (const rule of file.rules)
      expect(Object.keys(rule.verbs).toSorted()).toEqual(rule.for.toSorted());
  });

  test("nothing is granted by a star; no Secret is read; the API writes nothing; nobody can raise himself", () => {
    const verbs = new Set(["get", "list", "watch", "create", "patch", "update", "delete"]);
    const reads = new Set(["get", "list", "watch"]);
    for (const { metadata, rules } of ofKind(all, "ClusterRole", clusterRole)) {
      for (const rule of rules) {
        expect(rule.verbs.filter((verb) => !verbs.has(verb))).toEqual([]);
        expect([...rule.apiGroups, ...rule.resources].join(" ")).not.toContain("*");
        expect(rule.resources).not.toContain("clusterrolebindings");
      }
      // Of the API: it relays what others wrote.
      const writes = rules.flatMap((rule) => rule.verbs).filter((verb) => !reads.has(verb));
      expect(metadata.name.endsWith("-api") ? writes : []).toEqual([]);
      const ofSecrets = rules.filter(({ resources }) => resources.includes("secrets"));
      const written = ["create", "patch", "delete"];
      expect(ofSecrets.flatMap((rule) => rule.verbs)).toEqual(ofSecrets.length > 0 ? written : []);
    }
  });

  test("Kueue's and Volcano's own only where they are on; no token for a pod that may do nothing", () => {
    const without = objects({ kubernetes: { enabled: true } });
    const groups = ofKind(without, "ClusterRole", clusterRole).flatMap(({ rules }) =>
      rules.flatMap((rule) => rule.apiGroups),
    );
    expect(groups).toContain("kubevirt.io");
    expect(groups.filter((group) => /kueue|volcano|^batch$/.test(group))).toEqual([]);
    for (const { spec } of ofKind(objects({}), "Deployment", deployment)) {
      expect(spec.template.spec.automountServiceAccountToken).toBe(false);
    }
  });

  test("the page for operators has each permission with its reason", () => {
    for (const page of ["KUBERNETES-INSTALL.md", "KUBERNETES-INSTALL.zh-CN.md"]) {
      const text = readFileSync(join(operate, page), "utf8");
      const asked = file.rules.flatMap(({ resources }) => resources);
      const told = [...asked, ...Object.keys(file.withheld)];
      expect(told.filter((resource) => !text.includes(`\`${resource}\``))).toEqual([]);
    }
  });
});

describe("monitoring", () => {
  test("Prometheus scrapes both processes under the name that the alert rules look for", () => {
    const [monitor] = all.filter(({ kind }) => kind === "ServiceMonitor");
    const { jobLabel, selector, endpoints } = z
      .object({
        jobLabel: z.string(),
        selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
        endpoints: z.array(z.object({ port: z.string(), path: z.string() })).length(1),
      })
      .parse(monitor?.["spec"]);
    const scraped = ofKind(all, "Service", service).filter(({ metadata }) =>
      Object.entries(selector.matchLabels).every(
        ([name, value]) => metadata.labels[name] === value,
      ),
    );
    expect(scraped.map(({ metadata }) => metadata.name)).toEqual([
      "cloud-api-metrics",
      "cloud-work-metrics",
    ]);
    for (const { metadata, spec } of scraped) {
      expect(metadata.labels[jobLabel]).toBe("millrace");
      expect(spec.ports.map(({ name }) => name)).toEqual(endpoints.map(({ port }) => port));
    }
  });

  test("the rules are those of alerts.yml, to the letter", () => {
    const rules = all.filter(({ kind }) => kind === "PrometheusRule");
    const files = ["alerts.yml", "alerts-kubevirt.yml"];
    expect(rules.map(({ spec }) => spec)).toEqual(
      files.map((file): unknown => parseYaml(readFileSync(join(operate, file), "utf8"))),
    );
    const alone = { monitoring: { rules: { enabled: true } } };
    const without = objects(alone).filter(({ kind }) => kind === "PrometheusRule");
    expect(without).toHaveLength(1);
  });

  test("R-PROF-06, R-PROF-12: memory of a GPU above 95 % and a disk above 50 ms are alerts, by metrics that KubeVirt 1.9 and NVIDIA's exporter have", () => {
    const { groups } = z
      .object({
        groups: z.array(
          z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) }),
        ),
      })
      .parse(parseYaml(readFileSync(join(operate, "alerts-kubevirt.yml"), "utf8")));
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.map(({ alert, expr }) => [alert, expr.split(">").at(-1)?.trim()])).toEqual([
      ["MillraceGuestDiskSlow", "0.05"],
      ["MillraceGpuMemoryFull", "0.95"],
    ]);
    const metrics = rules.flatMap(({ expr }) => expr.match(/\b(?:kubevirt|DCGM)_\w+/g) ?? []);
    expect([...new Set(metrics)]).toEqual([
      "kubevirt_vmi_storage_read_times_seconds_total",
      "kubevirt_vmi_storage_write_times_seconds_total",
      "kubevirt_vmi_storage_iops_read_total",
      "kubevirt_vmi_storage_iops_write_total",
      "DCGM_FI_DEV_FB_USED",
      "DCGM_FI_DEV_FB_FREE",
    ]);
    for (const { expr } of rules) {
      expect(expr.split("(")).toHaveLength(expr.split(")").length);
    }
  });

  test("the boards are those of docs/operate/grafana", () => {
    const boards = ofKind(
      all,
      "ConfigMap",
      meta.extend({ data: z.record(z.string(), z.string()) }),
    );
    const contents = boards
      .filter(({ metadata }) => !metadata.name.endsWith("-clusters"))
      .flatMap(({ data }) => Object.entries(data));
    expect(contents.map(([name]) => name)).toEqual([
      "millrace-usage.json",
      "millrace-operation.json",
    ]);
    for (const [name, text] of contents) {
      const source = readFileSync(join(operate, "grafana", name.replace("millrace-", "")), "utf8");
      expect(map(JSON.parse(text))).toEqual(JSON.parse(source));
    }
  });
});

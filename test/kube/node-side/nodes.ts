/** Nodes and the room on them, counted from what the pods that are bound to them ask for. */
import { parseMilli, parseUnits } from "#providers/kubevirt/compile/quantity.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";
import type { Document } from "#test/kube/api/document.ts";
import { at, listAt, textAt, textsAt } from "#test/kube/api/json.ts";
import type { Objects } from "#test/kube/api/objects.ts";

import { byController, setStatus, withConditions } from "./writing.ts";

export interface NodeOf {
  readonly name: string;
  readonly cpus?: number;
  readonly memoryGi?: number;
  /** By resource name: `nvidia.com/GA100_A100_SXM4_80GB`: 8, `hugepages-2Mi`: "64Gi". */
  readonly resources?: Readonly<Record<string, number | string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

export type Amount = ReadonlyMap<string, bigint>;

export class Nodes {
  readonly #objects: Objects;
  readonly #free = new Map<string, Map<string, bigint>>();
  /** What each bound pod holds, by uid. */
  readonly #held = new Map<string, { readonly node: string; readonly amount: Amount }>();

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  add({ name, cpus = 64, memoryGi = 256, resources = {}, labels = {} }: NodeOf): void {
    const allocatable = {
      cpu: String(cpus),
      memory: `${memoryGi}Gi`,
      pods: "1000",
      "ephemeral-storage": "1Ti",
      "devices.kubevirt.io/kvm": "1k",
      "devices.kubevirt.io/tun": "1k",
      "devices.kubevirt.io/vhost-net": "1k",
      ...Object.fromEntries(Object.entries(resources).map(([key, value]) => [key, String(value)])),
    };
    const standard = {
      "kubernetes.io/hostname": name,
      "kubernetes.io/arch": "amd64",
      "kubernetes.io/os": "linux",
      "kubevirt.io/schedulable": "true",
      "machine-type.node.kubevirt.io/q35": "true",
    };
    const input = { metadata: { name, labels: { ...standard, ...labels } }, spec: {} };
    this.#objects.create(kinds.node, undefined, input, byController);
    const nodeInfo = {
      kubeletVersion: "v1.36.2",
      kubeProxyVersion: "v1.36.2",
      containerRuntimeVersion: "containerd://2.1.0",
      architecture: "amd64",
      operatingSystem: "linux",
      osImage: "Debian GNU/Linux 13",
      kernelVersion: "6.12.0",
      machineID: name,
      systemUUID: name,
      bootID: name,
    };
    setStatus(
      this.#objects,
      kinds.node,
      { name },
      { capacity: allocatable, allocatable, nodeInfo },
    );
    this.#free.set(name, new Map(readAmount(allocatable)));
    this.setReady(name, "True");
  }

  /** `Unknown`: its kubelet is silent. Pods there stay as they are. */
  setReady(name: string, status: "True" | "Unknown"): void {
    const node = this.#objects.store.get(kinds.node, { name });
    if (node === undefined) throw new Error(`there is no node ${name}`);
    const reason = status === "True" ? "KubeletReady" : "NodeStatusUnknown";
    const conditions = withConditions(
      node,
      [{ type: "Ready", status, reason }],
      this.#objects.now(),
    );
    setStatus(this.#objects, kinds.node, { name }, { conditions });
  }

  isReady(name: string): boolean {
    const node = this.#objects.store.get(kinds.node, { name });
    return listAt(node, "status", "conditions").some(
      (each) => textAt(each, "type") === "Ready" && textAt(each, "status") === "True",
    );
  }

  forget(name: string): void {
    this.#free.delete(name);
    const node = this.#objects.store.get(kinds.node, { name });
    if (node !== undefined) this.#objects.store.remove(kinds.node, node);
  }

  offers(resource: string): boolean {
    return [...this.#free.values()].some((free) => free.has(resource));
  }

  /** A node for the pod, which holds its part from now on; or why there is none. */
  place(pod: Document, without: string | undefined): { node: string } | { because: string } {
    const amount = requestsOf(pod);
    const wanted = textsAt(pod, "spec", "nodeSelector");
    const wishes = nodeWishes(pod);
    const reasons = new Map<string, number>();
    for (const [name, free] of this.#inOrder(wishes.preferred)) {
      const reason = this.#unfit(name, {
        wanted,
        required: wishes.required,
        amount,
        free,
        without,
      });
      if (reason === undefined) {
        for (const [key, many] of amount) free.set(key, (free.get(key) ?? 0n) - many);
        this.#held.set(pod.metadata.uid, { node: name, amount });
        return { node: name };
      }
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    const said = [...reasons].map(([reason, many]) => `${many} ${reason}`).join(", ");
    return { because: `0/${this.#free.size} nodes are available: ${said}.` };
  }

  release(uid: string): void {
    const held = this.#held.get(uid);
    if (held === undefined) return;
    this.#held.delete(uid);
    const free = this.#free.get(held.node);
    for (const [key, many] of held.amount) free?.set(key, (free.get(key) ?? 0n) + many);
  }

  /** Those that are preferred first. */
  #inOrder(preferred: readonly unknown[]): readonly (readonly [string, Map<string, bigint>])[] {
    const all = [...this.#free];
    if (preferred.length === 0) return all;
    const isPreferred = ([name]: (typeof all)[number]): boolean =>
      preferred.some((term) => matches(this.#labels(name), term));
    return [...all.filter(isPreferred), ...all.filter((each) => !isPreferred(each))];
  }

  #labels(name: string): Readonly<Record<string, string>> {
    return this.#objects.store.get(kinds.node, { name })?.metadata.labels ?? {};
  }

  #unfit(
    name: string,
    of: {
      wanted: Readonly<Record<string, string>>;
      required: readonly unknown[] | undefined;
      amount: Amount;
      free: Amount;
      without: string | undefined;
    },
  ): string | undefined {
    const node = this.#objects.store.get(kinds.node, { name });
    if (node === undefined || !this.isReady(name)) return "node(s) were not ready";
    if (at(node, "spec", "unschedulable") === true) return "node(s) were unschedulable";
    if (name === of.without) return "node(s) didn't match pod anti-affinity rules";
    const labels = node.metadata.labels ?? {};
    const misses = Object.entries(of.wanted).some(([key, value]) => labels[key] !== value);
    const isApart = of.required?.some((term) => matches(labels, term)) === false;
    if (misses || isApart) return "node(s) didn't match Pod's node affinity/selector";
    for (const [key, many] of of.amount) {
      if ((of.free.get(key) ?? 0n) < many) return `Insufficient ${key}`;
    }
    return undefined;
  }
}

/** By node affinity: one of the terms that are required must match, if there are any. */
function nodeWishes(pod: Document): {
  readonly required: readonly unknown[] | undefined;
  readonly preferred: readonly unknown[];
} {
  const path = ["spec", "affinity", "nodeAffinity"] as const;
  const required = listAt(
    pod,
    ...path,
    "requiredDuringSchedulingIgnoredDuringExecution",
    "nodeSelectorTerms",
  );
  const preferred = listAt(pod, ...path, "preferredDuringSchedulingIgnoredDuringExecution");
  return {
    required: required.length === 0 ? undefined : required,
    preferred: preferred.map((each) => at(each, "preference")),
  };
}

function matches(labels: Readonly<Record<string, string>>, term: unknown): boolean {
  return listAt(term, "matchExpressions").every((expression) => {
    const has = labels[textAt(expression, "key")];
    const values = listAt(expression, "values");
    switch (textAt(expression, "operator")) {
      case "In":
        return has !== undefined && values.includes(has);
      case "NotIn":
        return has === undefined || !values.includes(has);
      case "Exists":
        return has !== undefined;
      case "DoesNotExist":
        return has === undefined;
      default:
        return false;
    }
  });
}

/** All that its containers ask for. */
export function requestsOf(pod: Document): Amount {
  const total = new Map<string, bigint>();
  for (const container of listAt(pod, "spec", "containers")) {
    for (const [key, many] of readAmount(textsAt(container, "resources", "requests"))) {
      total.set(key, (total.get(key) ?? 0n) + many);
    }
  }
  return total;
}

function readAmount(amounts: Readonly<Record<string, string>>): [string, bigint][] {
  return Object.entries(amounts).map(([key, said]) => [
    key,
    (key === "cpu" ? parseMilli(said) : parseUnits(said)) ?? 0n,
  ]);
}

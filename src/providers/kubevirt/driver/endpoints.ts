/** How a machine is reached by SSH: through its Service, of whichever type the site has. Pure. */
import { z } from "zod";

import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import { machineIdOf } from "#providers/kubevirt/compile/names.ts";
import type { Endpoint } from "#providers/machine.ts";

import type { ClusterSettings } from "./settings.ts";

const service = z.object({
  metadata: z.object({ name: z.string(), namespace: z.string().default("") }),
  spec: z.object({
    type: z.string().default("ClusterIP"),
    clusterIP: z.string().optional(),
    ports: z
      .array(
        z.object({ name: z.string().default(""), port: z.int(), nodePort: z.int().optional() }),
      )
      .default([]),
  }),
  status: z
    .object({
      loadBalancer: z
        .object({
          ingress: z
            .array(z.object({ ip: z.string().optional(), hostname: z.string().optional() }))
            .default([]),
        })
        .optional(),
    })
    .optional(),
});

export interface KeptService {
  readonly type: string;
  readonly port: number;
  readonly nodePort: number | undefined;
  /** Where the whole world, or the cluster, reaches it. */
  readonly host: string | undefined;
}

/** `m-ID-ssh`, as `partName` has it. */
export function machineIdOfService({ metadata }: KubeObject): string | undefined {
  return machineIdOf(metadata.name.replace(/-ssh$/u, ""));
}

export function keptService(object: KubeObject): KeptService {
  const { spec, status } = service.parse(object);
  const ssh = spec.ports.find(({ name }) => name === "ssh");
  const ingress = status?.loadBalancer?.ingress[0];
  return {
    type: spec.type,
    port: ssh?.port ?? 22,
    nodePort: ssh?.nodePort,
    host: spec.type === "LoadBalancer" ? (ingress?.ip ?? ingress?.hostname) : spec.clusterIP,
  };
}

const world: ReadonlySet<string> = new Set(["0.0.0.0/0", "::/0"]);

/**
 * A node that passes on what is for a pod elsewhere puts its own address into it, which `sshFrom` then judges.
 * Where that is narrower than the world only the machine's own node takes what is for it, whose address is the
 * one that is told, or a load balancer asks for. A fixed `sshHost` stands for whichever node.
 */
export function keepsSource({
  sshService,
  sshHost,
  sshFrom,
}: Pick<ClusterSettings, "sshService" | "sshHost" | "sshFrom">): boolean {
  if (sshFrom.length === 0 || sshFrom.some((cidr) => world.has(cidr))) return false;
  return sshService === "LoadBalancer" || (sshService === "NodePort" && sshHost === undefined);
}

/** None while the cluster has not given it an address. */
export function endpointsOf(
  { type, port, nodePort, host }: KeptService,
  nodeAddress: string | undefined,
): readonly Endpoint[] {
  if (type === "NodePort") {
    return nodePort === undefined || nodeAddress === undefined
      ? []
      : [{ service: "ssh", host: nodeAddress, port: nodePort }];
  }
  return host === undefined || host === "None" ? [] : [{ service: "ssh", host, port }];
}

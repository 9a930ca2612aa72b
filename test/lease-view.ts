/** A lease as one decision of the reconciler sees it: running well, unless a test says otherwise. */
import type {
  InstanceView,
  OperationView,
  PendingCall,
  RequestView,
  View,
} from "#flow/provision/view.ts";
import type { Shape } from "#kernel/shape.ts";
import { ProviderError, type Machine, type OperationStatus } from "#providers/provider.ts";

export const now = Date.parse("2026-05-04T10:00:00Z");
export const readyAt = now - 60_000;

export const shape: Shape = {
  flavor: "nano",
  vcpus: 1,
  cpu: { sockets: 1, cores: 1, threads: 1 },
  memoryMiB: 256,
  diskGiB: 1,
  gpu: null,
  serviceClass: "standard",
  overcommitPercent: 100,
  hugePages: "none",
  hostLabels: {},
  antiAffinity: false,
  tolerations: [],
  pool: null,
  numa: false,
};

export const running: Machine = {
  id: "i",
  owner: undefined,
  hostId: "h",
  locator: {},
  power: { value: "running", at: now },
  powerSince: readyAt - 1_000,
  guest: { ready: true, readyAt },
  start: "cold",
  cpu: shape.cpu,
  memoryBytes: 1,
  diskBytes: 1,
  pendingResize: false,
  endpoints: [],
};

export const booting: Machine = { ...running, guest: { ready: false } };
export const unseen: Machine = { ...running, power: { value: "unknown", at: now } };

export function off(
  at = now - 1_000,
  reason: "requested" | "guest" | "crashed" = "crashed",
): Machine {
  return {
    ...running,
    power: { value: "stopped", at: now },
    powerSince: at,
    guest: { ready: false },
    stop: { at, reason, detail: "why" },
  };
}

/** Accepted and not started yet. */
export const accepted: Machine = {
  ...running,
  power: { value: "stopped", at: now },
  guest: { ready: false },
};

export function pending(kind: PendingCall["kind"], change: Partial<PendingCall> = {}): PendingCall {
  return { key: `i:${kind}`, kind, native: null, operationId: null, issuedAt: now, ...change };
}

export function operation(
  kind: OperationView["kind"],
  values: OperationView["arguments"] = {},
): OperationView {
  return { id: `op-${kind}`, kind, arguments: values, createdAt: now };
}

export function failedWith(code: ConstructorParameters<typeof ProviderError>[0]): OperationStatus {
  return { state: "failed", error: new ProviderError(code, "no", { effect: "none" }) };
}

export interface Given {
  readonly machine?: Machine | "absent" | "unknown";
  readonly instance?: Partial<InstanceView>;
  readonly metering?: Partial<InstanceView["metering"]>;
  readonly request?: Partial<RequestView>;
  readonly placement?: Partial<View["placement"]>;
  readonly operations?: readonly OperationView[];
  readonly callStatus?: OperationStatus;
  readonly lastSeenAt?: number;
  readonly at?: number;
}

export function leaseView(given: Given = {}): View {
  const { machine = running } = given;
  return {
    interruption: null,
    faultsBefore: 0,
    silentMsMax: 600_000,
    host: { name: "h1", nativeId: "h1", downSince: null },
    hostDownMsMax: 300_000,
    instance: {
      tenantId: "t",
      id: "i",
      requestId: "r",
      kind: "lease",
      turn: 1,
      state: "running",
      stateSince: readyAt,
      createdAt: readyAt - 2_000,
      shape,
      readyAt,
      restarts: 0,
      call: null,
      pace: { keys: 0, of: null, inRow: 0, notBefore: 0 },
      stopBeforeStart: null,
      missingSince: null,
      seenUntil: null,
      workload: null,
      collected: false,
      waiting: null,
      notes: [],
      waitedUntil: null,
      metering: {
        seq: 2,
        lastAt: readyAt,
        ready: true,
        workloadStarted: false,
        workloadEnded: false,
        created: true,
        deleted: false,
        ...given.metering,
      },
      ...given.instance,
    },
    request: {
      wanted: "running",
      turn: 1,
      shape,
      restart: "on-failure",
      workload: null,
      inGang: false,
      ended: false,
      ...given.request,
    },
    placement: { state: "full", turn: 1, ...given.placement },
    operations: given.operations ?? [],
    sight: typeof machine === "string" ? { seen: machine } : { seen: "machine", machine },
    callStatus: given.callStatus,
    lastSeenAt: given.lastSeenAt ?? null,
    now: given.at ?? now,
  };
}

/** Nothing of it was seen yet. */
export const fresh = {
  instance: { state: "creating", readyAt: null },
  metering: { seq: 0, lastAt: 0, ready: false, created: false },
} as const satisfies Given;

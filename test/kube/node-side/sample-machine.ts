/** A machine with one disk, as a test orders it; in the namespace `n`. */
interface MachineOf {
  readonly name?: string;
  readonly cpus?: number;
  readonly gpus?: readonly string[];
  readonly runStrategy?: string;
  readonly evictionStrategy?: string;
}

export function machine(of: MachineOf = {}) {
  const { name = "m", cpus = 2, gpus = [], runStrategy = "RerunOnFailure", evictionStrategy } = of;
  const devices = {
    disks: [{ name: "root", disk: { bus: "virtio" } }],
    ...(gpus.length === 0
      ? {}
      : { gpus: gpus.map((deviceName, n) => ({ name: `gpu${n}`, deviceName })) }),
  };
  const domain = { cpu: { sockets: cpus }, memory: { guest: "4Gi" }, devices };
  const volume = { metadata: { name }, spec: { source: { blank: {} }, storage } };
  const spec = {
    domain,
    volumes: [{ name: "root", dataVolume: { name } }],
    ...(evictionStrategy === undefined ? {} : { evictionStrategy }),
  };
  return {
    apiVersion: "kubevirt.io/v1",
    kind: "VirtualMachine",
    metadata: { name, namespace: "n" },
    spec: { runStrategy, dataVolumeTemplates: [volume], template: { spec } },
  };
}

const storage = { resources: { requests: { storage: "10Gi" } } };

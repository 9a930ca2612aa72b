/** What KubeVirt's webhooks say to disks, volumes and network interfaces: part of `admission.ts`. */
import type { Disk, InstanceBody, Interface } from "#providers/kubevirt/objects/machine.ts";

const diskBuses = new Set(["virtio", "scsi", "sata", "usb"]);
/** Bytes of user data inside an object; more goes by a Secret. */
export const inlineUserDataMax = 2048;

export function diskProblems(
  { domain, volumes = [], networks }: InstanceBody,
  path: string,
): readonly string[] {
  const { disks = [], interfaces = [] } = domain.devices;
  const names = new Set(volumes.map(({ name }) => name));
  const found: string[] = [];
  for (const [index, disk] of disks.entries()) {
    const bus = busOf(disk);
    if (bus !== undefined && !diskBuses.has(bus)) {
      found.push(
        `${path}.domain.devices.disks[${index}] is set with an unrecognized bus ${bus}, must be one of: [${[...diskBuses].join(" ")}]`,
      );
    }
    if (!names.has(disk.name)) {
      found.push(`${path}.domain.devices.disks[${index}].Name '${disk.name}' not found.`);
    }
  }
  for (const [index, volume] of volumes.entries()) {
    const data = volume.cloudInitNoCloud?.userData;
    if (data !== undefined && Buffer.byteLength(data) > inlineUserDataMax) {
      found.push(
        `${path}.volumes[${index}].cloudInitNoCloud userdata exceeds ${inlineUserDataMax} byte limit. Should use UserDataSecretRef for larger data.`,
      );
    }
    if (volume.hostDisk !== undefined) found.push("HostDisk feature gate is not enabled");
  }
  const pods = new Set((networks ?? []).filter(({ pod }) => pod !== undefined).map((n) => n.name));
  for (const each of interfaces) {
    if (pods.has(each.name) && bindingsOf(each) !== 1) {
      found.push(
        "logical default interface must have exactly one binding method or binding plugin",
      );
    }
  }
  return found;
}

function busOf({ disk, cdrom }: Disk): string | undefined {
  return disk?.bus ?? cdrom?.bus;
}

function bindingsOf({ masquerade, bridge, sriov }: Interface): number {
  return [masquerade, bridge, sriov].filter((each) => each !== undefined).length;
}

/**
 * QEMU's command line: a pure function of what the machine shall be. File names are relative to
 * the instance's directory, which is QEMU's working directory, so that an unprivileged QEMU needs
 * no way through the directories above it.
 *
 * What must stay true: no device that the guest does not need (each costs boot time and attack
 * surface); nothing listens but unix sockets in the directory and one forward on loopback; the
 * guest has no way out of its network card except that forward and its tenant's segment.
 */
import type { Board } from "./records.ts";
import { vcpusOf } from "./records.ts";

export interface Segment {
  /** Multicast group and port that stand for one tenant's Ethernet segment; see network.ts. */
  readonly group: string;
  readonly port: number;
}

export interface Plan {
  readonly name: string;
  readonly uuid: string;
  readonly runDirectory: string;
  readonly accelerator: "kvm" | "tcg";
  readonly cpuModel: string;
  readonly board: Board;
  /** Largest number of CPUs and bytes that plugging may reach. */
  readonly vcpusMax: number;
  readonly memoryBytesMax: number;
  /** A file that holds the memory, for templates and their clones; otherwise anonymous memory. */
  readonly memoryFile?: string;
  /** Direct kernel boot; without it the firmware boots the disk. */
  readonly kernel?: { readonly append: string };
  readonly sshPort: number | undefined;
  readonly segment: Segment | undefined;
  readonly accessMac: string;
  readonly tenantMac: string;
  /** The disk with cloud-init's data, `seed.iso`. */
  readonly seed?: boolean;
  readonly video: boolean;
  /** Do not run the CPUs yet. */
  readonly paused: boolean;
  /** Wait for `migrate-incoming`. */
  readonly incoming: boolean;
  /** Load this internal snapshot with its memory. */
  readonly loadSnapshot?: string;
}

export const agentPortName = "millrace.agent.0";
export const diskNode = "disk";
export const memoryModulesMax = 8;
/** Linux takes memory in sections of this size. */
export const memoryModuleStepBytes = 128 * 1024 * 1024;

/** By itself QEMU would give as many as there are CPUs, and a snapshot's memory would not load. */
const queues = "num-queues=4";

const sandbox = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny";

export function qemuArguments(plan: Plan): string[] {
  return [
    ...processArguments(plan),
    ...boardArguments(plan),
    ...bootArguments(plan),
    ...diskArguments(),
    ...networkArguments(plan),
    ...channelArguments(plan),
    ...(plan.seed === true ? seedArguments() : []),
    ...startArguments(plan),
  ];
}

/** A disk that appears in a template must appear in its clones, so names are fixed here. */
function diskArguments(): string[] {
  const disk = [
    "driver=qcow2",
    `node-name=${diskNode}`,
    "file.driver=file",
    "file.filename=disk.qcow2",
    "discard=unmap",
    "file.discard=unmap",
    // The data is the customer's: a guest's flush reaches the disk.
    "cache.no-flush=off",
  ];
  return [
    ["-blockdev", disk.join(",")],
    ["-device", `virtio-blk-pci,drive=${diskNode},id=disk0,${queues}`],
  ].flat();
}

/** The agent looks for it among virtio disks. It is the last device, so that none moves for it. */
function seedArguments(): string[] {
  const file = "file.driver=file,file.filename=seed.iso,file.read-only=on";
  return [
    ["-blockdev", `driver=raw,node-name=seed,read-only=on,${file}`],
    ["-device", `virtio-blk-pci,drive=seed,id=seed0,${queues}`],
  ].flat();
}

function processArguments(plan: Plan): string[] {
  return [
    ["-name", plan.name, "-uuid", plan.uuid],
    ["-nodefaults", "-no-user-config", "-display", "none"],
    ["-sandbox", sandbox],
    ["-msg", "timestamp=on"],
  ].flat();
}

function boardArguments(plan: Plan): string[] {
  const { board } = plan;
  const memory =
    plan.memoryFile === undefined
      ? `memory-backend-ram,id=ram,size=${board.memoryBytes}`
      : `memory-backend-file,id=ram,size=${board.memoryBytes},mem-path=${plan.memoryFile},share=on`;
  const { sockets, cores, threads } = socketsFor(plan);
  return [
    [
      "-machine",
      `q35,memory-backend=ram,hpet=off,smbus=off,sata=off,i8042=off,usb=off,dump-guest-core=off`,
    ],
    ["-accel", plan.accelerator === "kvm" ? "kvm" : "tcg,tb-size=64"],
    ["-cpu", plan.cpuModel],
    [
      "-smp",
      `${board.vcpus},sockets=${sockets},cores=${cores},threads=${threads},maxcpus=${sockets * cores * threads}`,
    ],
    ["-object", memory],
    [
      "-m",
      `size=${mib(board.memoryBytes)}M,slots=${memoryModulesMax},maxmem=${mib(plan.memoryBytesMax)}M`,
    ],
    ...board.modules.flatMap((bytes, index) => moduleArguments(bytes, index)),
    ["-rtc", "base=utc,clock=host"],
  ].flat();
}

function moduleArguments(bytes: number, index: number): string[] {
  return [
    ["-object", `memory-backend-ram,id=module${index}-ram,size=${bytes}`],
    ["-device", `pc-dimm,id=module${index},memdev=module${index}-ram`],
  ].flat();
}

/** Sockets are what can be plugged, so the board has room for more of them. */
function socketsFor(plan: Plan): { sockets: number; cores: number; threads: number } {
  const { cores, threads } = plan.board.cpu;
  const perSocket = cores * threads;
  const most = Math.max(plan.vcpusMax, vcpusOf(plan.board.cpu), plan.board.vcpus);
  return { sockets: Math.ceil(most / perSocket), cores, threads };
}

function bootArguments(plan: Plan): string[] {
  if (plan.kernel === undefined) return ["-boot", "strict=on"];
  // Room to plug memory lies above 4 GiB, for which Linux would set 64 MiB aside as bounce buffers
  // that no virtio device needs.
  const append = `${plan.kernel.append} swiotlb=noforce`;
  return ["-kernel", "kernel", "-initrd", "initrd", "-append", append];
}

function networkArguments(plan: Plan): string[] {
  const forward =
    plan.sshPort === undefined ? "" : `,hostfwd=tcp:127.0.0.1:${plan.sshPort}-10.0.2.15:22`;
  const card = "romfile=,mq=off";
  return [
    ["-netdev", `user,id=access,restrict=on,ipv6=off${forward}`],
    ["-device", `virtio-net-pci,netdev=access,id=net0,mac=${plan.accessMac},${card}`],
    // The card plugs into a hub, so that a pool member can be wired to its tenant later.
    ["-netdev", "hubport,id=tenant-card,hubid=1"],
    ["-device", `virtio-net-pci,netdev=tenant-card,id=net1,mac=${plan.tenantMac},${card}`],
    ...(plan.segment === undefined ? [] : segmentArguments(plan.segment)),
  ].flat();
}

function segmentArguments(segment: Segment): string[] {
  return [
    ["-netdev", `socket,id=tenant-wire,mcast=${segment.group}:${segment.port},localaddr=127.0.0.1`],
    ["-netdev", "hubport,id=tenant-port,hubid=1,netdev=tenant-wire"],
  ].flat();
}

function channelArguments(plan: Plan): string[] {
  const socket = (id: string, name: string): string =>
    `socket,id=${id},path=${plan.runDirectory}/${name},server=on,wait=off`;
  return [
    ["-chardev", socket("control", "qmp.sock"), "-mon", "chardev=control,mode=control"],
    // What this monitor says is also written to a file: events have a witness even while no
    // control plane runs.
    ["-chardev", `${socket("events", "events.sock")},logfile=${plan.runDirectory}/events.log`],
    ["-mon", "chardev=events,mode=control"],
    ["-chardev", `${socket("serial", "serial.sock")},logfile=serial.log,logappend=on`],
    ["-device", "isa-serial,chardev=serial,id=serial0"],
    ["-device", "virtio-serial-pci,id=serial-bus,max_ports=4"],
    ["-chardev", socket("agent", "agent.sock")],
    ["-device", `virtserialport,bus=serial-bus.0,chardev=agent,name=${agentPortName}`],
    ["-object", "rng-random,id=entropy,filename=/dev/urandom"],
    ["-device", "virtio-rng-pci,rng=entropy"],
    ...(plan.video
      ? ["-device", "VGA,vgamem_mb=8,id=video", "-vnc", `unix:${plan.runDirectory}/vnc.sock`]
      : []),
  ].flat();
}

function startArguments(plan: Plan): string[] {
  return [
    ...(plan.paused ? ["-S"] : []),
    ...(plan.incoming ? ["-incoming", "defer"] : []),
    ...(plan.loadSnapshot === undefined ? [] : ["-loadvm", plan.loadSnapshot]),
  ];
}

function mib(bytes: number): number {
  return Math.floor(bytes / 1_048_576);
}

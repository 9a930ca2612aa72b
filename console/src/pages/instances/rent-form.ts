/**
 * The form for a new instance as data: what is wrong with it before it is sent, the body that it
 * makes, the same as a command. Pure; what only the server knows, the server says.
 */
import type { RequestOf } from "#client/types.ts";

import { quoted } from "#console/components/quoted.ts";

export const plans = ["on_demand", "monthly", "quarterly", "annual"] as const;
export type Plan = (typeof plans)[number];

export interface RentForm {
  readonly name: string;
  readonly image: string;
  /** `undefined`: as large as the flavor has it. */
  readonly diskGiB: number | undefined;
  readonly projectId: string | undefined;
  /** Ids; `undefined`: all that one has. */
  readonly sshKeys: readonly string[] | undefined;
  readonly userData: string;
  readonly restart: "on-failure" | "never";
  readonly group: string;
  /** Names or ids, separated by spaces or commas. */
  readonly near: string;
  readonly apart: string;
  readonly autoRenew: boolean;
}

export const emptyForm: RentForm = {
  name: "",
  image: "",
  diskGiB: undefined,
  projectId: undefined,
  sshKeys: undefined,
  userData: "",
  restart: "on-failure",
  group: "",
  near: "",
  apart: "",
  autoRenew: false,
};

export interface Chosen {
  readonly flavor: { readonly name: string; readonly diskGiB: number; readonly memoryMiB: number };
  readonly image:
    | {
        readonly name: string;
        readonly takesUserData: boolean;
        readonly minDiskGiB: number;
        readonly minMemoryMiB: number;
      }
    | undefined;
}

/** The one that was chosen; else the first that the flavor has disk and memory for. */
export function imageFor<Image extends NonNullable<Chosen["image"]>>(
  images: readonly Image[],
  name: string | undefined,
  flavor: Pick<Chosen["flavor"], "diskGiB" | "memoryMiB"> | undefined,
): Image | undefined {
  const fits = (image: Image): boolean =>
    flavor !== undefined &&
    flavor.diskGiB >= image.minDiskGiB &&
    flavor.memoryMiB >= image.minMemoryMiB;
  return images.find((image) => image.name === name) ?? images.find(fits) ?? images[0];
}

type LeaseBody = RequestOf<"createLease">["body"];
export type Fault =
  | "nameMissing"
  | "nameRule"
  | "groupRule"
  | "diskSmall"
  | "imageDisk"
  | "imageMemory"
  | "noUserData"
  | "userDataLong"
  | "manyNames";
export type Faults = Readonly<
  Partial<Record<"name" | "group" | "diskGiB" | "image" | "userData" | "near" | "apart", Fault>>
>;

const dnsName = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
export const userDataCharactersMax = 16_384;
const namesMax = 16;
const diskGiBMax = 65_536;

export function faultsOf(form: RentForm, { flavor, image }: Chosen): Faults {
  const disk = form.diskGiB ?? flavor.diskGiB;
  const diskFault =
    disk < flavor.diskGiB || disk > diskGiBMax
      ? "diskSmall"
      : image !== undefined && disk < image.minDiskGiB
        ? "imageDisk"
        : undefined;
  const userDataFault =
    form.userData === ""
      ? undefined
      : image?.takesUserData === false
        ? "noUserData"
        : form.userData.length > userDataCharactersMax
          ? "userDataLong"
          : undefined;
  const found: { [Field in keyof Faults]: Fault | undefined } = {
    name: form.name === "" ? "nameMissing" : dnsName.test(form.name) ? undefined : "nameRule",
    group: form.group === "" || dnsName.test(form.group) ? undefined : "groupRule",
    diskGiB: diskFault,
    image: image !== undefined && flavor.memoryMiB < image.minMemoryMiB ? "imageMemory" : undefined,
    userData: userDataFault,
    near: isManyNames(form.near) ? "manyNames" : undefined,
    apart: isManyNames(form.apart) ? "manyNames" : undefined,
  };
  return Object.fromEntries(Object.entries(found).filter(([, fault]) => fault !== undefined));
}

function isManyNames(text: string): boolean {
  return namesOf(text).length > namesMax;
}

export function namesOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((name) => name !== "");
}

export function leaseBody(form: RentForm, { flavor, image }: Chosen): LeaseBody {
  const near = namesOf(form.near);
  const apart = namesOf(form.apart);
  return {
    name: form.name,
    flavor: flavor.name,
    ...(image === undefined ? {} : { image: image.name }),
    ...(form.diskGiB === undefined || form.diskGiB === flavor.diskGiB
      ? {}
      : { diskGiB: form.diskGiB }),
    ...(form.projectId === undefined ? {} : { projectId: form.projectId }),
    ...(form.sshKeys === undefined ? {} : { sshKeys: [...form.sshKeys] }),
    ...(form.userData === "" ? {} : { userData: form.userData }),
    ...(form.restart === "never" ? { restart: form.restart } : {}),
    ...(form.group === "" ? {} : { group: form.group }),
    ...(near.length === 0 ? {} : { near }),
    ...(apart.length === 0 ? {} : { apart }),
  };
}

/** As `millrace lease create`. */
export function rentCommand(body: LeaseBody): string {
  const flags: readonly (readonly [flag: string, value: string | undefined])[] = [
    ["flavor", body.flavor],
    ["image", body.image],
    ["disk", body.diskGiB === undefined ? undefined : `${body.diskGiB}GiB`],
    ["project", body.projectId],
    ...(body.sshKeys ?? []).map((key) => ["ssh-key", key] as const),
    ["user-data", body.userData === undefined ? undefined : "user-data.yaml"],
    ["restart", body.restart],
    ["group", body.group],
    ...(body.near ?? []).map((name) => ["near", name] as const),
    ...(body.apart ?? []).map((name) => ["apart", name] as const),
  ];
  return [
    `millrace lease create ${quoted(body.name === "" ? "NAME" : body.name)}`,
    ...flags.flatMap(([flag, value]) =>
      value === undefined ? [] : [`--${flag} ${quoted(value)}`],
    ),
  ].join(" ");
}

interface Quota {
  readonly limits: Amounts;
  readonly used: Amounts;
}
interface Amounts {
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
  readonly leases: number;
  readonly gpus: Readonly<Record<string, number>>;
}

function left(limit: number, taken: number): number {
  return Math.max(0, limit - taken);
}

/** What may still be had. A model that is not named in the limits may not be had at all. */
export function quotaLeft({ limits, used }: Quota, gpuModel: string | undefined) {
  return {
    vcpus: left(limits.vcpus, used.vcpus),
    memoryMiB: left(limits.memoryMiB, used.memoryMiB),
    diskGiB: left(limits.diskGiB, used.diskGiB),
    leases: left(limits.leases, used.leases),
    gpus:
      gpuModel === undefined
        ? undefined
        : left(limits.gpus[gpuModel] ?? 0, used.gpus[gpuModel] ?? 0),
  };
}

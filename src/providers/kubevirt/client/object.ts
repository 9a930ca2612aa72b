/**
 * An object as the API server tells it: its head is checked, the rest is for who asked, to be parsed
 * with the schema of its kind. In lists and watches `managedFields` is left out: it is half of an
 * object's bytes, and nobody reads it there.
 */
import { z } from "zod";

const ownerReference = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  name: z.string(),
  uid: z.string(),
  controller: z.boolean().optional(),
});

/** A number that grows: what is newer is told by it. */
export const versionText = z.string().regex(/^[0-9]{1,20}$/);

const metadata = z.looseObject({
  name: z.string(),
  namespace: z.string().optional(),
  uid: z.string(),
  /** Empty of what only would be (a dry run): a real server leaves it out then. */
  resourceVersion: z.union([versionText, z.literal("")]).default(""),
  generation: z.number().optional(),
  creationTimestamp: z.string(),
  deletionTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  finalizers: z.array(z.string()).optional(),
  ownerReferences: z.array(ownerReference).optional(),
});

const kubeObject = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata });

/** What was read. Each field besides the head is `unknown` until its kind's schema parsed it. */
export type KubeObject = z.infer<typeof kubeObject>;

/** What is sent. Only what a writer wants to have a say in is in it. */
export interface NewObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
    readonly ownerReferences?: readonly z.infer<typeof ownerReference>[];
  };
}

const list = z.object({
  kind: z.string(),
  metadata: z.object({
    resourceVersion: versionText,
    continue: z.string().optional(),
  }),
  items: z.array(z.record(z.string(), z.unknown())).nullable(),
});

export interface Page {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
  /** Present if there is more. */
  readonly next?: string;
}

/** Throws: what answers so is no API server. */
export function readObject(value: unknown): KubeObject {
  return kubeObject.parse(value);
}

/** The members of a list do not say what they are; the list's kind says it. */
export function readPage(value: unknown, of: { apiVersion: string; kind: string }): Page {
  const page = list.parse(value);
  if (page.kind !== `${of.kind}List`) throw new Error(`a ${page.kind} is no list of ${of.kind}`);
  const next = page.metadata.continue;
  return {
    items: (page.items ?? []).map((item) => lighten(readObject({ ...of, ...item }))),
    resourceVersion: page.metadata.resourceVersion,
    ...(next === undefined || next === "" ? {} : { next }),
  };
}

export function lighten(object: KubeObject): KubeObject {
  const { managedFields: _, ...rest } = object.metadata;
  return { ...object, metadata: rest };
}

/**
 * Many machines from one that runs: its objects with other ids, names and nodes, put into the store as they
 * are. Nothing acts upon them, so the one must have come to rest.
 */
import { textAt } from "#test/kube/api/json.ts";
import type { Document } from "#test/kube/api/document.ts";
import type { KubeServer } from "#test/kube/server.ts";
import type { Kind } from "#providers/kubevirt/client/kind.ts";
import { labelKeys } from "#providers/kubevirt/compile/labels.ts";
import { kinds } from "#providers/kubevirt/objects/kinds.ts";

/** Of the `number`-th: the same in the rows of the database (rows.ts). */
function idOf(of: "machine" | "request", number: number): string {
  const group = of === "machine" ? "8000" : "9000";
  return `00000000-0000-4000-${group}-${number.toString(16).padStart(12, "0")}`;
}

const copied: readonly Kind[] = [
  kinds.machine,
  kinds.machineInstance,
  kinds.service,
  kinds.secret,
  kinds.dataVolume,
];

export function multiply(
  { objects: { store } }: KubeServer,
  machines: number,
  nodeOf: (number: number) => string,
): number {
  const [machine] = store.all(kinds.machine);
  const [instance] = store.all(kinds.machineInstance);
  const { [labelKeys.machine]: id = "", [labelKeys.resource]: resource = "" } =
    machine?.metadata.labels ?? {};
  const node = textAt(instance, "status", "nodeName");
  const parts = copied.flatMap((kind) =>
    store
      .all(kind)
      .filter(({ metadata }) => metadata.labels?.[labelKeys.machine] === id)
      .map((document) => ({ kind, text: JSON.stringify(document) })),
  );
  const uids = [machine, instance].flatMap((each) => each?.metadata.uid ?? []);
  for (let number = 0; number < machines; number += 1) {
    const renamed = (text: string): string =>
      [
        [id, idOf("machine", number)],
        [resource, idOf("request", number)],
        [`"${node}"`, `"${nodeOf(number)}"`],
        ...uids.map((uid, place) => [uid, `${uid.slice(0, -8)}${place}${hex(number)}`]),
      ].reduce((changed, [from = "", to = ""]) => changed.replaceAll(from, to), text);
    for (const { kind, text } of parts) store.put(kind, parsed(renamed(text)));
  }
  // What is watched from here on was not there before.
  store.compact();
  return machines;
}

/** A run that KubeVirt reports anew, with nothing in it that matters. */
export function touch({ objects: { store } }: KubeServer, machines: number): number {
  const some = store.all(kinds.machineInstance).slice(0, machines);
  for (const instance of some) {
    const { metadata } = instance;
    const annotations = { ...metadata.annotations, "bench/touched": String(store.version) };
    store.put(kinds.machineInstance, { ...instance, metadata: { ...metadata, annotations } });
  }
  return some.length;
}

function hex(number: number): string {
  return number.toString(16).padStart(7, "0");
}

function parsed(text: string): Document {
  const document: Document = JSON.parse(text);
  return document;
}

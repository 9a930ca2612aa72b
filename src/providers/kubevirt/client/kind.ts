/**
 * How a kind of object is named in an address. The table of those that this driver uses is
 * `objects/kinds.ts`; the client itself knows no kind.
 */
export interface Kind {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Where an object is. Objects of a kind without namespaces have no namespace here either. */
export interface ObjectName {
  readonly namespace?: string;
  readonly name: string;
}

/** As objects say it: `v1`, `kubevirt.io/v1`. */
export function apiVersion(kind: Kind): string {
  return kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
}

/** The path of all objects of a kind: of one namespace, or of all. */
export function collectionPath(kind: Kind, namespace?: string): string {
  const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${apiVersion(kind)}`;
  const within = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${within}/${kind.plural}`;
}

/** The path of one object, or of something below it: `status`, `scale`, `portforward/22/tcp`. */
export function objectPath(kind: Kind, { namespace, name }: ObjectName, below?: string): string {
  const path = `${collectionPath(kind, namespace)}/${encodeURIComponent(name)}`;
  return below === undefined ? path : `${path}/${below}`;
}

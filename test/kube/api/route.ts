/** From an address to what it means. */
import type { Kind } from "#providers/kubevirt/client/kind.ts";

export interface Route {
  readonly group: string;
  readonly version: string;
  /** Absent for the address of a group's version itself. */
  readonly plural?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** `status`, `portforward/22/tcp`. */
  readonly below?: string;
}

/** `undefined` for addresses that are none of the API's. */
export function readRoute(path: string): Route | undefined {
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map(decodeURIComponent);
  const [root, first = "", second = ""] = parts;
  if (root === "api" && first !== "") return routeOf({ group: "", version: first }, parts.slice(2));
  if (root !== "apis" || second === "") return undefined;
  return routeOf({ group: first, version: second }, parts.slice(3));
}

function routeOf(of: { group: string; version: string }, rest: readonly string[]): Route {
  const [first, namespace, plural, ...others] = rest;
  const within = first === "namespaces" && plural !== undefined && plural !== "status";
  const scope = within && namespace !== undefined ? { namespace } : {};
  const [what, name, ...below] = within ? [plural, ...others] : rest;
  return {
    ...of,
    ...scope,
    ...(what === undefined ? {} : { plural: what }),
    ...(name === undefined ? {} : { name }),
    ...(below.length === 0 ? {} : { below: below.join("/") }),
  };
}

export function kindOf(kinds: readonly Kind[], route: Route): Kind | undefined {
  return kinds.find(
    ({ group, version, plural }) =>
      group === route.group && version === route.version && plural === route.plural,
  );
}

/** What is told of the server itself and of its kinds; `undefined` for anything else. */
export function discovery(kinds: readonly Kind[], path: string): unknown {
  if (path === "/version") return { major: "1", minor: "36", gitVersion: "v1.36.2" };
  if (path === "/api") return { kind: "APIVersions", versions: ["v1"] };
  if (path === "/apis") return groupList(kinds);
  const route = readRoute(path);
  if (route === undefined || route.plural !== undefined) return undefined;
  const { group, version } = route;
  const here = kinds.filter((kind) => kind.group === group && kind.version === version);
  if (here.length === 0) return undefined;
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: group === "" ? version : `${group}/${version}`,
    resources: here.flatMap(({ plural, kind, namespaced }) => [
      { name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs },
      { name: `${plural}/status`, singularName: "", namespaced, kind, verbs: ["get", "patch"] },
    ]),
  };
}

const actions = "subresources.kubevirt.io";
const verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];

function groupList(kinds: readonly Kind[]): unknown {
  const groups = new Map<string, Set<string>>();
  // KubeVirt's own API server stands behind its definitions, and has its group.
  const virtual = kinds.find(({ group }) => group === "kubevirt.io");
  if (virtual !== undefined) groups.set(actions, new Set([virtual.version]));
  for (const { group, version } of kinds) {
    if (group !== "") groups.set(group, (groups.get(group) ?? new Set()).add(version));
  }
  return {
    kind: "APIGroupList",
    apiVersion: "v1",
    groups: [...groups].map(([name, versions]) => ({
      name,
      versions: [...versions].map((version) => ({
        groupVersion: `${name}/${version}`,
        version,
      })),
    })),
  };
}

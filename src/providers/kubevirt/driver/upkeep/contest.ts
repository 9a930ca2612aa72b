/**
 * Somebody, or some program, who changes the same object again and again: it is put right ever more
 * seldom, so that two who both want to be right do not keep a cluster busy, and it is said.
 */
import type { KubeObject } from "#providers/kubevirt/client/object.ts";
import type { SiteFinding } from "#providers/provider.ts";

/** So often an object is put right at once. */
const atOnceMax = 3;
const firstRestMs = 10_000;
const restMaxMs = 10 * 60_000;
const forgottenMs = 60 * 60_000;
/** Of all objects together; beyond that the oldest are forgotten. */
const keptMax = 10_000;
const saidMax = 5;

export interface Named {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
}

interface Put {
  readonly times: number;
  readonly at: number;
}

export class Contest {
  readonly #now: () => number;
  readonly #puts = new Map<string, Put>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether it may be put right now. */
  mayPut(object: Named | KubeObject): boolean {
    const put = this.#puts.get(nameOf(object));
    if (put === undefined || put.times < atOnceMax) return true;
    const restMs = Math.min(restMaxMs, firstRestMs * 2 ** (put.times - atOnceMax));
    return this.#now() - put.at >= restMs;
  }

  put(object: Named | KubeObject): void {
    const name = nameOf(object);
    const times = (this.#puts.get(name)?.times ?? 0) + 1;
    this.#puts.delete(name);
    const [oldest] = this.#puts.keys();
    if (this.#puts.size >= keptMax && oldest !== undefined) this.#puts.delete(oldest);
    this.#puts.set(name, { times, at: this.#now() });
  }

  /** What is wanted of it has changed: what comes of that is nobody's contest. */
  forgetAll(isMeant: (name: string) => boolean): void {
    for (const name of this.#puts.keys()) if (isMeant(name)) this.#puts.delete(name);
  }

  forgetOld(): void {
    for (const [name, { at }] of this.#puts) {
      if (this.#now() - at > forgottenMs) this.#puts.delete(name);
    }
  }

  findings(): readonly SiteFinding[] {
    const names = [...this.#puts].flatMap(([name, { times }]) => (times > atOnceMax ? name : []));
    if (names.length === 0) return [];
    const more = names.length > saidMax ? ` and ${names.length - saidMax} more` : "";
    return [
      {
        severity: "warning",
        message: `Somebody changes again and again what Millrace keeps in the cluster: ${names.slice(0, saidMax).join(", ")}${more}.`,
        advice:
          "Find out who (kubectl get … --show-managed-fields) and keep that program out of namespaces labeled millrace.dev/control-plane.",
      },
    ];
  }
}

function nameOf({ kind, metadata }: Named | KubeObject): string {
  const { namespace, name } = metadata;
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/**
 * First boot: who may log in, and the customer's own user data, in a Secret, because KubeVirt takes no
 * more than 2,048 bytes of it inside a machine. The customer's part is passed on as he wrote it; where
 * both say something, his word holds and lists are joined.
 */
import type { Secret } from "#providers/kubevirt/objects/core.ts";

import type { MachineAsk } from "./facts.ts";
import { machineLabels } from "./labels.ts";
import { machineName, partName } from "./names.ts";

/** etcd takes no object above 1.5 MiB; the API server no Secret above 1 MiB. */
export const userDataBytesMax = 512 * 1024;

export function cloudInitSecret({ spec, site, namespace }: MachineAsk): Secret {
  const ours = `#cloud-config\n${JSON.stringify(account(spec))}\n`;
  const userdata = spec.userData === undefined ? ours : joined(spec.id, ours, spec.userData);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: partName(machineName(spec.id), "init"),
      namespace: namespace.name,
      labels: machineLabels(site.controlPlaneId, spec),
    },
    type: "Opaque",
    data: { userdata: Buffer.from(userdata).toString("base64") },
  };
}

/** JSON, which YAML readers read, so nothing needs quoting. */
function account({
  name,
  loginUser,
  sshKeys,
}: MachineAsk["spec"]): Readonly<Record<string, unknown>> {
  const hostname = { hostname: name, ssh_pwauth: false };
  if (loginUser === "root") {
    return { ...hostname, disable_root: false, ssh_authorized_keys: sshKeys };
  }
  const user = {
    name: loginUser,
    gecos: loginUser,
    shell: "/bin/bash",
    lock_passwd: true,
    sudo: "ALL=(ALL) NOPASSWD:ALL",
    ssh_authorized_keys: sshKeys,
  };
  return { ...hostname, users: [user] };
}

const kinds: readonly (readonly [start: string, type: string])[] = [
  ["#cloud-config-archive", "text/cloud-config-archive"],
  ["#cloud-config", "text/cloud-config"],
  ["#cloud-boothook", "text/cloud-boothook"],
  ["#include", "text/x-include-url"],
  ["#!", "text/x-shellscript"],
];

/** Several parts in one, as cloud-init reads them: in order, the later merged into the earlier. */
function joined(id: string, ours: string, theirs: string): string {
  if (/^(?:content-type|mime-version):/iu.test(theirs)) return nested(id, ours, theirs);
  const type = kinds.find(([start]) => theirs.startsWith(start))?.[1] ?? "text/plain";
  return multipart(id, [
    `Content-Type: ${type}; charset="utf-8"\n${encoded(theirs)}`,
    ourPart(ours),
  ]);
}

/** He wrote several parts himself: they stay one. */
function nested(id: string, ours: string, theirs: string): string {
  return multipart(id, [theirs, ourPart(ours)]);
}

function ourPart(ours: string): string {
  const merge = "X-Merge-Type: list(append)+dict(no_replace,recurse_list)+str()";
  return `Content-Type: text/cloud-config; charset="utf-8"\n${merge}\n${encoded(ours)}`;
}

function encoded(text: string): string {
  const lines =
    Buffer.from(text)
      .toString("base64")
      .match(/.{1,76}/gu) ?? [];
  return `Content-Transfer-Encoding: base64\n\n${lines.join("\n")}\n`;
}

function multipart(id: string, parts: readonly string[]): string {
  const boundary = `millrace-${id}`;
  const body = parts.map((part) => `--${boundary}\n${part}\n`).join("");
  return `Content-Type: multipart/mixed; boundary="${boundary}"\nMIME-Version: 1.0\n\n${body}--${boundary}--\n`;
}

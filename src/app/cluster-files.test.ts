import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, expect, test } from "vitest";

import { readClusterFiles } from "./cluster-files.ts";
import { signInToClusters } from "./cluster-sites.ts";

const scratch = await mkdtemp(join(tmpdir(), "millrace-clusters-"));
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(scratch, name);
  await writeFile(path, text);
  return path;
}

const plain = `
site: gpu-east
kubeconfig: east.kubeconfig
images:
  ubuntu-24.04: { dataSource: ubuntu, namespace: images, loginUser: ubuntu, minDiskGib: 10 }
  alpine: { registry: "docker://quay.io/containerdisks/alpine" }
`;

test("S-03: a cluster is said in YAML or in JSON; its kubeconfig is found from its file's folder", async () => {
  const yaml = await file("east.yaml", plain);
  const json = await file("west.json", JSON.stringify({ site: "gpu-west" }));
  const [east, west] = await readClusterFiles([yaml, json]);
  expect(east?.settings).toMatchObject({
    site: "gpu-east",
    kubeconfig: join(scratch, "east.kubeconfig"),
    images: {
      "ubuntu-24.04": { loginUser: "ubuntu", minDiskGib: 10, minMemoryMib: 512 },
      alpine: { loginUser: "root", takesUserData: true },
    },
  });
  expect(west?.settings).toMatchObject({ site: "gpu-west", controlPlane: "millrace" });
  expect(await readClusterFiles([])).toEqual([]);
});

test.each([
  ["no file", undefined, ["it cannot be read; name a file that is there"]],
  ["no YAML", "site: [", ["it is neither YAML nor JSON", "line 1"]],
  ["empty", "", ["it: Invalid input"]],
  [
    "several things",
    "site: Gpu East\nimage: {}\ngpus: { nvidia.com/X: { model: A100 } }\nmachinesMax: many",
    [
      "site: lower-case letters, digits and '-'.",
      "image: there is no such setting.",
      "gpus.nvidia.com/X.memoryGib:",
      "machinesMax: Invalid input: expected number, received string.",
    ],
  ],
  [
    "an image from nowhere",
    "site: a\nimages: { x: { file: /x } }",
    ["images.x: one of dataSource"],
  ],
  ["a site of this program's own", "site: local", ["site: local is not a cluster's name"]],
])("what is wrong is said with its file and its place: %s", async (name, text, said) => {
  const path = join(scratch, `${name}.yaml`);
  if (text !== undefined) await writeFile(path, text);
  const refusal = readClusterFiles([path]);
  await expect(refusal).rejects.toMatchObject({ code: "invalid_request" });
  for (const words of [path, ...said, "docs/operate/KUBEVIRT.md"]) {
    await expect(refusal).rejects.toThrow(words);
  }
});

test("two clusters with one name are refused, both named", async () => {
  const [a, b] = [await file("a.yaml", "site: one"), await file("b.yaml", "site: one")];
  const refusal = readClusterFiles([a, b]);
  await expect(refusal).rejects.toMatchObject({ code: "invalid_request" });
  await expect(refusal).rejects.toThrow(`${b} cannot be used: site: one is that of ${a} too`);
});

test("a cluster that there is nothing to sign in to with is refused, with what to do", async () => {
  const files = await readClusterFiles([await file("east.yaml", plain)]);
  const missing = signInToClusters(files, {});
  await expect(missing).rejects.toMatchObject({ code: "invalid_request" });
  await expect(missing).rejects.toThrow(
    `the kubeconfig ${join(scratch, "east.kubeconfig")} cannot be read. Mend the kubeconfig`,
  );
  const outside = signInToClusters(await readClusterFiles([await file("c.yaml", "site: c")]), {});
  await expect(outside).rejects.toThrow("Outside of a cluster, name a kubeconfig file");
});

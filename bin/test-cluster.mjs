/**
 * `npm run test:cluster -- --kubeconfig FILE …`: the conformance suite of providers against a real
 * cluster with KubeVirt. What it makes there carries a control plane's name of its own and is removed
 * again. See docs/operate/KUBEVIRT.md.
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { main, root, runNode, setUp } from "./setup.mjs";
import { SetupError, exitCodes } from "./setup/say.mjs";

const usage = `npm run test:cluster -- --kubeconfig FILE (--settings FILE | --image SOURCE) [--context NAME] [--skip CHECK,…] [--fake-nodes [--nodes-kubeconfig FILE]]
  --settings    what a server is told of the cluster, docs/operate/KUBEVIRT.md; its first image is used
  --image       docker://… or https://…, where there are no settings
  --skip        checks that are left out, by their ids
  --fake-nodes  for a control plane without nodes: makes two, and runs what needs no guest
  --nodes-kubeconfig  for who makes and plays them; by default as --kubeconfig`;

await main(async () => {
  const given = read();
  const { kubeconfig, settings, image, context, skip } = given;
  const nodesKubeconfig = given["nodes-kubeconfig"];
  if (kubeconfig === undefined || (settings === undefined && image === undefined)) {
    throw new SetupError(usage, exitCodes.usage);
  }
  await setUp(["dependencies"]);
  const options = {
    kubeconfig: resolve(kubeconfig),
    ...(settings === undefined ? {} : { settings: resolve(settings) }),
    ...(image === undefined ? {} : { image }),
    ...(context === undefined ? {} : { context }),
    skip: skip === undefined ? [] : skip.split(","),
    fakeNodes: given["fake-nodes"] ?? false,
    ...(nodesKubeconfig === undefined ? {} : { nodesKubeconfig: resolve(nodesKubeconfig) }),
  };
  return runNode(
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      "--config",
      join(root, "test/cluster/vitest.config.ts"),
    ],
    {
      ...process.env,
      PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}`,
      MILLRACE_TEST_CLUSTER: JSON.stringify(options),
    },
  );
});

function read() {
  const text = /** @type {const} */ ({ type: "string" });
  const options = {
    kubeconfig: text,
    settings: text,
    image: text,
    context: text,
    skip: text,
    "nodes-kubeconfig": text,
    "fake-nodes": /** @type {const} */ ({ type: "boolean" }),
  };
  try {
    return parseArgs({ options, strict: true }).values;
  } catch (error) {
    throw new SetupError(
      `${error instanceof Error ? error.message : "?"}\n${usage}`,
      exitCodes.usage,
    );
  }
}

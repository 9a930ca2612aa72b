/**
 * `npm test`: from a bare clone to the test results. Arguments go to Vitest. The last line is
 * `N passed, N failed`; a file that cannot be loaded and an error outside of any test count as
 * failed, and so does a run without a result. What passed only when it was tried again is named
 * before it: a test to be mended.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { main, root, runNode, setUp } from "./setup.mjs";

await main(async () => {
  // The browser journeys load the console as it is built.
  await setUp(["dependencies", "test-packages", "console"]);
  const directory = await mkdtemp(join(tmpdir(), "millrace-results-"));
  const file = join(directory, "results.json");
  const code = await runNode(
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      "run",
      "--reporter=default",
      `--reporter=${join(root, "bin/setup/count-reporter.mjs")}`,
      ...process.argv.slice(2),
    ],
    {
      ...process.env,
      PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}`,
      MILLRACE_TEST_RESULTS: file,
    },
  );
  const text = await readFile(file, "utf8").catch(() => '{"passed":0,"failed":1}');
  await rm(directory, { recursive: true, force: true });
  const { passed, failed, triedAgain = [] } = JSON.parse(text);
  for (const name of triedAgain) process.stdout.write(`passed only when tried again: ${name}\n`);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed > 0 && code === 0 ? 1 : code;
});

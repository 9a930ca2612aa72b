/**
 * A reporter for Vitest that writes how many tests passed and failed, and which passed only when they
 * were tried again, to MILLRACE_TEST_RESULTS.
 */
import { writeFileSync } from "node:fs";

// oxlint-disable-next-line import/no-default-export -- this is what Vitest loads
export default class CountReporter {
  /** @param {readonly import("vitest/node").TestModule[]} modules
   *  @param {readonly unknown[]} errors outside of any test */
  onTestRunEnd(modules, errors) {
    const file = process.env.MILLRACE_TEST_RESULTS;
    if (file === undefined) return;
    let passed = 0;
    let failed = errors.length;
    const triedAgain = [];
    for (const module of modules) {
      const before = failed;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed += 1;
        if (state === "failed") failed += 1;
        if (test.diagnostic()?.flaky)
          triedAgain.push(`${module.relativeModuleId} > ${test.fullName}`);
      }
      // A file that could not be loaded, or whose hooks failed.
      if (!module.ok() && failed === before) failed += 1;
    }
    writeFileSync(file, JSON.stringify({ passed, failed, triedAgain }));
  }
}

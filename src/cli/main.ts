/** The entry of the command: process in, exit status out. Everything else is in program.ts. */
import { readEnvironment } from "./environment.ts";
import { Interrupted, endingOf } from "./failures.ts";
import { runProgram } from "./program.ts";

const environment = readEnvironment(process.env);
const controller = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    const reason = new Interrupted(signal);
    // The first ends the work in an orderly way; whoever asks again does not want to wait.
    if (controller.signal.aborted) process.exit(reason.exitCode);
    controller.abort(reason);
  });
}
// Whoever reads us has gone away (`| head`): nobody is left to tell.
process.stdout.on("error", () => process.exit(141));

try {
  await runProgram(process.argv.slice(2), {
    environment,
    signal: controller.signal,
    stdout: process.stdout,
    stderr: process.stderr,
    setExitCode: (code) => {
      process.exitCode = code;
    },
  });
} catch (error) {
  const { exitCode, message } = endingOf(error, environment);
  process.stderr.write(message);
  process.exitCode = exitCode;
}

import { spawn } from "node:child_process";
import { once } from "node:events";

import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { makeCli, type Cli } from "#test/cli.ts";
import { aLease, leaseId } from "#test/cli-things.ts";
import { startContractServer, type ContractServer } from "#test/contract-server.ts";

let server: ContractServer;
let cli: Cli;

beforeAll(async () => {
  server = await startContractServer();
  cli = makeCli(server.url);
});
afterAll(async () => {
  cli.remove();
  await server.close();
});
beforeEach(() => {
  server.reset();
  server.answer("getLease", () => ({ result: aLease() }));
});

interface Typed {
  readonly screen: string;
  readonly received: string;
}

/**
 * Runs `console` on a real terminal made by script(1), then prints the terminal's settings. What
 * the machine prints is "login: "; what is typed is sent when that has come.
 */
async function onTerminal(typed: string, behave: "stay" | "close"): Promise<Typed> {
  let received = "";
  server.onConsole((socket, lease) => {
    socket.send(Buffer.from(`console of ${lease}\r\nlogin: `));
    socket.on("message", (data: Buffer) => {
      received += data.toString();
      socket.send(data);
      if (behave === "close") socket.close(1011, "the machine was stopped");
    });
  });
  const quoted = cli.commandLine(["console", leaseId]).map((word) => `'${word}'`);
  const shell = `${quoted.join(" ")}; echo "exit $?"; stty -a`;
  const child = spawn("script", ["--quiet", "--command", shell, "/dev/null"], {
    env: cli.environment(),
    stdio: ["pipe", "pipe", "inherit"],
  });
  let screen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const wasAsked = screen.includes("login: ");
    screen += text;
    if (!wasAsked && screen.includes("login: ")) child.stdin.write(typed);
  });
  await once(child, "close");
  return { screen, received };
}

test("keys go to the machine as they are, Ctrl-C too, until Ctrl-] leaves", async () => {
  const { screen, received } = await onTerminal("root\r\u0003\u001D", "stay");
  expect(received).toBe("root\r\u0003");
  expect(screen).toContain(`console of ${leaseId}`);
  expect(screen).toContain("Left the console of web.");
  expect(screen).toContain("exit 0");
});

test("the terminal is itself again afterwards, also when the machine goes away", async () => {
  const left = await onTerminal("\u001D", "stay");
  const closed = await onTerminal("x", "close");
  for (const { screen } of [left, closed]) {
    expect(screen).toMatch(/\bicanon\b/);
    expect(screen).toMatch(/(?:^|\s)echo\b/m);
    expect(screen).not.toMatch(/-icanon\b|(?:^|\s)-echo\b/m);
  }
  expect(closed.screen).toContain("The console was closed: the machine was stopped.");
  expect(closed.screen).toContain("exit 75");
});

test("without a terminal, stdin is sent and what comes is printed", async () => {
  server.onConsole((socket) => {
    socket.on("message", (data: Buffer) => {
      socket.send(`got ${data.toString()}`);
    });
  });
  const { code, stdout } = await cli.run(["console", leaseId, "--quiet"], { input: "uname\n" });
  expect({ code, stdout }).toEqual({ code: 0, stdout: "got uname\n" });
});

test("a refusal is the server's, and a lease that does not run has no console", async () => {
  const refused = await cli.run(["console", leaseId]);
  expect(refused.code).toBe(75);
  expect(refused.stderr).toBe("millrace: There is no console now. (request req-test-1)\n");
  server.answer("getLease", () => ({ result: aLease({ state: "stopped" }) }));
  const stopped = await cli.run(["console", leaseId]);
  expect(stopped.code).toBe(75);
  expect(stopped.stderr).toContain("web is stopped.");
});

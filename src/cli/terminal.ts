/**
 * Asking a person, and raw mode. Whatever happens, the terminal is left as it was found: a shell
 * without echo is the worst thing that a command can leave behind.
 */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** The answer; a line of stdin where nobody is there to ask; `undefined` at its end. */
export async function askText(question: string, signal: AbortSignal): Promise<string | undefined> {
  return readLine(question, { signal, hidden: false });
}

/** As `askText`, without showing what is typed. */
export async function askSecret(
  question: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  return readLine(question, { signal, hidden: true });
}

async function readLine(
  question: string,
  { signal, hidden }: { readonly signal: AbortSignal; readonly hidden: boolean },
): Promise<string | undefined> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) return firstLine();
  stderr.write(question);
  const nowhere = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const lines = createInterface({
    input: stdin,
    output: hidden ? nowhere : stderr,
    terminal: true,
  });
  const interrupted = new Promise<never>((_resolve, reject) => {
    // In raw mode the terminal sends no signal: readline tells of Ctrl-C.
    lines.once("SIGINT", () => {
      process.kill(process.pid, "SIGINT");
    });
    signal.addEventListener("abort", () => {
      reject(signal.reason);
    });
  });
  const ended = new Promise<undefined>((resolve) => {
    lines.once("close", () => {
      resolve(undefined);
    });
  });
  try {
    const answer = await Promise.race([lines.question(""), ended, interrupted]);
    return answer?.trim();
  } finally {
    lines.close();
    if (hidden) stderr.write("\n");
  }
}

const lineBytesMax = 64 * 1024;

async function firstLine(): Promise<string | undefined> {
  let text = "";
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.includes("\n") || text.length > lineBytesMax) break;
  }
  const [line = ""] = text.split("\n");
  return line.trim() === "" ? undefined : line.trim();
}

/** Asks before what cannot be undone; without a terminal there is nobody to ask, and it is done. */
export async function confirmed(question: string, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY) return true;
  const answer = await askText(`${question} [y/N] `, signal);
  return answer !== undefined && /^y(?:es)?$/i.test(answer);
}

/** Raw mode until the returned function is called, or the process ends in whatever way. */
export function enterRawMode(): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => undefined;
  const restore = (): void => {
    stdin.setRawMode(false);
  };
  stdin.setRawMode(true);
  process.once("exit", restore);
  return () => {
    process.removeListener("exit", restore);
    restore();
  };
}

/**
 * The log as files of a bounded size: `millrace.log`, and before it `millrace.log.1` (the newest) to
 * `.4`. Pino has no rotation of its own; what is offered for it runs in a thread beside the program,
 * with a package of its own, for what are these few lines.
 *
 * What must stay true: a line is in one file, whole; the files together never exceed the bound by
 * more than a line; and trouble with the log (a full disk, a folder that is gone) is no trouble of
 * the program: the line is lost, the next one is tried again.
 */
import { closeSync, fstatSync, openSync, renameSync, rmSync, writeSync } from "node:fs";

const logBytesMax = 10 * 1024 * 1024;
/** The one that is written, and those before it. */
const logFilesMax = 5;
const logMode = 0o600;

export interface LogFileOptions {
  readonly path: string;
  readonly bytesMax?: number;
  readonly filesMax?: number;
}

export interface LogFile {
  write(line: string): void;
  close(): void;
}

export function openLogFile(options: LogFileOptions): LogFile {
  const { path, bytesMax = logBytesMax, filesMax = logFilesMax } = options;
  let file: number | undefined;
  let sizeBytes = 0;

  const open = (): number => {
    const opened = openSync(path, "a", logMode);
    sizeBytes = fstatSync(opened).size;
    return opened;
  };

  const close = (): void => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };

  const rotate = (): void => {
    close();
    rmSync(nameOf(filesMax - 1), { force: true });
    for (let age = filesMax - 2; age >= 0; age -= 1) renameIfThere(nameOf(age), nameOf(age + 1));
  };

  const nameOf = (age: number): string => (age === 0 ? path : `${path}.${age}`);

  return {
    write: (line) => {
      const bytes = Buffer.from(line);
      try {
        file ??= open();
        if (sizeBytes > 0 && sizeBytes + bytes.byteLength > bytesMax) {
          rotate();
          file = open();
        }
        // At once, so that the last words before a crash are there.
        writeSync(file, bytes);
        sizeBytes += bytes.byteLength;
      } catch {
        closeQuietly(close);
      }
    },
    close: () => closeQuietly(close),
  };
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

function closeQuietly(close: () => void): void {
  try {
    close();
  } catch {
    // It was closed, or its disk is gone.
  }
}

/**
 * Where results go: tables for people, the API's own objects for programs (`--output json`), ids
 * for shells (`--quiet`). Results go to stdout and nothing else does; what is said beside them goes
 * to stderr.
 */
import { once } from "node:events";

export type Format = "table" | "json";

export interface Shown {
  /** The API's answer, whole. */
  readonly value: unknown;
  /** What `--quiet` prints, one a line. */
  readonly ids: readonly string[];
  /** For a person; ends with a newline. */
  readonly text: () => string;
}

export interface Output {
  readonly format: Format;
  readonly quiet: boolean;
  show(shown: Shown): Promise<void>;
  /** As it is, in every format. */
  write(content: string | Uint8Array): Promise<void>;
  /** Beside the result; not with `--quiet`. */
  note(text: string): void;
}

export function createOutput(
  { format, quiet }: { readonly format: Format; readonly quiet: boolean },
  streams: { readonly stdout: NodeJS.WritableStream; readonly stderr: NodeJS.WritableStream },
): Output {
  const write = async (content: string | Uint8Array): Promise<void> => {
    if (!streams.stdout.write(content)) await once(streams.stdout, "drain");
  };
  return {
    format,
    quiet,
    write,
    async show({ value, ids, text }) {
      if (quiet) await write(ids.map((id) => `${id}\n`).join(""));
      else if (format === "json") await write(`${JSON.stringify(value ?? null, null, 2)}\n`);
      else await write(text());
    },
    note(text) {
      if (!quiet) streams.stderr.write(text);
    },
  };
}

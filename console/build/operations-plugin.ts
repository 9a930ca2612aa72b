/**
 * `virtual:operations`: of each operation of the contract its method, path and transport, and
 * nothing else, so that the page calls what the contract says without carrying its schemas.
 */
import { join } from "node:path";
import { runnerImport, type Plugin } from "vite";

const name = "virtual:operations";
const resolvedName = `\0${name}`;

interface Wire {
  readonly method: string;
  readonly path: string;
  readonly transport: string;
  readonly permission: string;
  readonly body: unknown;
}

export function operationsPlugin(repositoryRoot: string): Plugin {
  const contract = join(repositoryRoot, "src/contract/operations.ts");
  return {
    name: "millrace-operations",
    resolveId: (source) => (source === name ? resolvedName : undefined),
    async load(id) {
      if (id !== resolvedName) return undefined;
      this.addWatchFile(contract);
      const { module, dependencies } = await runnerImport<{
        operations: Readonly<Record<string, Wire>>;
      }>(contract, {
        configFile: false,
        root: repositoryRoot,
        logLevel: "error",
        // The sources, not what was compiled of them last.
        environments: { inline: { resolve: { conditions: ["source"], noExternal: [/^#/] } } },
      });
      for (const file of dependencies) this.addWatchFile(file);
      const rows = Object.entries(module.operations).map(
        ([operationId, { method, path, transport, permission, body }]) => [
          operationId,
          [
            method,
            path,
            permission,
            body !== undefined,
            ...(transport === "json" ? [] : [transport]),
          ],
        ],
      );
      return `export const operations = JSON.parse(${JSON.stringify(JSON.stringify(Object.fromEntries(rows)))});`;
    },
  };
}

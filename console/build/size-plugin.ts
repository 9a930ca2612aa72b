/**
 * What a first visit loads before it shows a page: the entry with all that it imports statically,
 * and the frame's texts in the larger of the two languages. The build fails over the limit, and when the contract's
 * schemas (zod) got in, which a page needs the types of only.
 */
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

export function sizePlugin(limitKiB: number): Plugin {
  return {
    name: "millrace-size",
    apply: "build",
    generateBundle(_options, bundle) {
      const chunks = new Map(
        Object.values(bundle)
          .filter((file) => file.type === "chunk")
          .map((chunk) => [chunk.fileName, chunk]),
      );
      const first = new Set<string>();
      const visit = (fileName: string): void => {
        const chunk = chunks.get(fileName);
        if (chunk === undefined || first.has(fileName)) return;
        first.add(fileName);
        for (const imported of chunk.imports) visit(imported);
      };
      for (const chunk of chunks.values()) if (chunk.isEntry) visit(chunk.fileName);
      const sizeOf = (fileName: string): number =>
        gzipSync(chunks.get(fileName)?.code ?? "").length;
      const languages = [...chunks.values()].filter((chunk) =>
        chunk.facadeModuleId?.startsWith("\0virtual:texts/"),
      );
      const language = Math.max(0, ...languages.map((chunk) => sizeOf(chunk.fileName)));
      const total = [...first].reduce((sum, fileName) => sum + sizeOf(fileName), language);
      const kib = (total / 1024).toFixed(1);
      const said = `First load: ${kib} KiB of script, gzipped (limit ${limitKiB} KiB)`;
      for (const fileName of first) {
        const zod = chunks.get(fileName)?.moduleIds.find((id) => id.includes("/node_modules/zod/"));
        if (zod !== undefined)
          this.error(`${fileName}: zod is in the first load; import types only`);
      }
      if (total > limitKiB * 1024) this.error(`${said}: make what is not needed at once lazy`);
      this.info(said);
    },
  };
}

/**
 * `virtual:texts`: how the texts are loaded, an area and a language at a time, and which areas each
 * page needs. What every page shows comes as one piece a language (`virtual:texts/en`): the areas of
 * the frame, and of the others the pages' names, for the navigation.
 */
import { join } from "node:path";
import { runnerImport, type Plugin } from "vite";

import { pageAreas, type PageAreas } from "./page-areas.ts";

const name = "virtual:texts";
const languages = { en: "en", "zh-CN": "zhCN" } as const;
type Language = keyof typeof languages;

export function textsPlugin(consoleRoot: string): Plugin {
  const source = join(consoleRoot, "src");
  const fileOf = (language: string, area: string): string =>
    join(source, "i18n", language, `${area}.ts`);
  let isServing = false;
  return {
    name: "millrace-texts",
    configResolved(config) {
      isServing = config.command === "serve";
    },
    resolveId: (wanted) =>
      wanted === name || wanted.startsWith(`${name}/`) ? `\0${wanted}` : undefined,
    async load(id) {
      if (!id.startsWith(`\0${name}`)) return undefined;
      const found = pageAreas(source);
      for (const file of found.files) this.addWatchFile(file);
      const language = isLanguage(id.slice(name.length + 2));
      if (language !== undefined) return frameTexts(found, language, fileOf);
      const { areas, pages } = inUse(found, isServing);
      const loaders = Object.keys(languages).map((each) => {
        const rows = areas.map(
          (area) =>
            `${area}: async () => (await import(${JSON.stringify(fileOf(each, area))})).${area}`,
        );
        return `${JSON.stringify(each)}: {
          frame: async () => (await import("${name}/${each}")).texts,
          areas: { ${rows.join(", ")} },
        }`;
      });
      return `export const loaders = { ${loaders.join(", ")} };
        export const areasOf = ${JSON.stringify(pages)};`;
    },
  };
}

/** While one writes, a text may get a use at any moment: then each page has all areas. */
function inUse(
  found: PageAreas,
  isServing: boolean,
): { readonly areas: readonly string[]; readonly pages: PageAreas["pages"] } {
  const areas = [...new Set(Object.values(found.pages).flat())].toSorted();
  if (!isServing) return { areas, pages: found.pages };
  return {
    areas,
    pages: Object.fromEntries(Object.keys(found.pages).map((path) => [path, areas])),
  };
}

async function frameTexts(
  { frame, titles }: PageAreas,
  language: Language,
  fileOf: (language: string, area: string) => string,
): Promise<string> {
  const named: Record<string, unknown> = {};
  for (const key of titles) {
    const [area = "", ...rest] = key.split(".");
    if (frame.includes(area)) continue;
    // oxlint-disable-next-line no-await-in-loop -- a few small files, when the console is built
    const { module } = await runnerImport<Record<string, unknown>>(fileOf(language, area), {
      configFile: false,
      logLevel: "error",
    });
    put(named, key.split("."), rest.reduce(inside, module[area]));
  }
  const imports = frame.map(
    (area) => `import { ${area} } from ${JSON.stringify(fileOf(language, area))};`,
  );
  return `${imports.join("\n")}
    export const texts = { ${frame.join(", ")}, ...${JSON.stringify(named)} };`;
}

function isLanguage(text: string): Language | undefined {
  return text === "en" || text === "zh-CN" ? text : undefined;
}

function inside(value: unknown, key: string): unknown {
  return isRecord(value) ? value[key] : undefined;
}

function put(
  into: Record<string, unknown>,
  [key = "", ...rest]: readonly string[],
  value: unknown,
): void {
  if (rest.length === 0) {
    into[key] = value;
    return;
  }
  const inner = into[key];
  const next: Record<string, unknown> = isRecord(inner) ? inner : {};
  into[key] = next;
  put(next, rest, value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

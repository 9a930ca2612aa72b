/**
 * Which texts a page needs: the areas of which its modules, and all that they import, name a text.
 * Found in the sources, so that no page has to say it and none can forget to. The frame's are those
 * of all that is reached from main.tsx without entering a page.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

export interface PageAreas {
  /** Needed on every page: part of the first load. */
  readonly frame: readonly string[];
  /** By the page's path, without the frame's. */
  readonly pages: Readonly<Record<string, readonly string[]>>;
  /** Text keys of the pages' names, which the navigation shows before any page is loaded. */
  readonly titles: readonly string[];
  /** Everything that was looked into. */
  readonly files: readonly string[];
}

/** The first two steps of a key: `jobs.title`, `states.lease`, or what is put together later. */
const mention = /["'`]([a-zA-Z]+)\.([a-zA-Z]+|\$\{)/g;

/** `source` is console/src. */
export function pageAreas(source: string): PageAreas {
  const areas = new Map(
    globSync("i18n/en/*.ts", { cwd: source }).map((file) => [
      basename(file, ".ts"),
      readFileSync(join(source, file), "utf8"),
    ]),
  );
  areas.delete("index");
  // `billing.read` is a permission, not a text: a text's name is in its area's file.
  const isText = (area: string, name: string): boolean =>
    name === "${" ||
    new RegExp(`^\\s+"?${name}(?:_one|_other)?"?:`, "m").test(areas.get(area) ?? "");
  const table = join(source, "routes.tsx");
  const rows = readFileSync(table, "utf8");
  const files = new Set([table]);

  const areasFrom = (start: string, enters: (file: string) => boolean): Set<string> => {
    const found = new Set<string>();
    const seen = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file) || !enters(file)) return;
      seen.add(file);
      files.add(file);
      const code = readFileSync(file, "utf8");
      for (const [, area = "", name = ""] of code.matchAll(mention)) {
        if (areas.has(area) && isText(area, name)) found.add(area);
      }
      for (const imported of importsOf(code, file, source)) visit(imported);
    };
    visit(start);
    return found;
  };

  const isTexts = (file: string): boolean => file.startsWith(join(source, "i18n/"));
  const isPage = (file: string): boolean => file.startsWith(join(source, "pages/"));
  const frame = areasFrom(
    join(source, "main.tsx"),
    (file) => !isTexts(file) && !isPage(file) && file !== table,
  );
  const pages: Record<string, readonly string[]> = {};
  const row = /^ {4}path: "([^"]+)"[^]*?import\("#console\/([^"]+)"\)/gm;
  for (const [, path = "", file = ""] of rows.matchAll(row)) {
    const found = areasFrom(join(source, file), (each) => !isTexts(each) && each !== table);
    pages[path] = [...found].filter((area) => !frame.has(area)).toSorted();
  }
  const titles = [...rows.matchAll(/^ {4}title: "([^"]+)"/gm)].map((match) => match[1] ?? "");
  return { frame: [...frame].toSorted(), pages, titles, files: [...files] };
}

/** Of the console's own files, those loaded later included; types have no texts. */
function importsOf(code: string, from: string, source: string): readonly string[] {
  const found = [
    ...code.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^"';]*?\sfrom\s+)?"([^"]+)"/gm),
    ...code.matchAll(/\b(?:import|new URL)\(\s*"([^"]+)"/g),
  ].map((match) => match[1] ?? "");
  return found
    .map((name) =>
      name.startsWith("#console/")
        ? join(source, name.slice("#console/".length))
        : name.startsWith("./")
          ? join(dirname(from), name)
          : "",
    )
    .filter((file) => /\.tsx?$/.test(file) && existsSync(file));
}

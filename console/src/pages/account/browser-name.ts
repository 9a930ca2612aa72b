/** What a browser calls itself, for people: "Firefox 140, Linux". `undefined` when it is none we know. */
const browsers = [
  ["Edge", /\bEdg(?:e|A|iOS)?\/([0-9]+)/],
  ["Opera", /\bOPR\/([0-9]+)/],
  ["Firefox", /\bFirefox\/([0-9]+)/],
  ["Chrome", /\b(?:Headless)?Chrome\/([0-9]+)/],
  ["Safari", /\bVersion\/([0-9]+).*\bSafari\//],
] as const;

const systems = [
  ["Android", /Android/],
  ["iOS", /iPhone|iPad/],
  ["Windows", /Windows/],
  ["macOS", /Mac OS X|Macintosh/],
  ["Linux", /Linux|X11/],
] as const;

export function browserName(userAgent: string): string | undefined {
  for (const [name, pattern] of browsers) {
    const version = pattern.exec(userAgent)?.[1];
    if (version !== undefined) {
      const system = systems.find(([, each]) => each.test(userAgent))?.[0];
      return `${name} ${version}${system === undefined ? "" : `, ${system}`}`;
    }
  }
  return undefined;
}

/** Texts that are told again with every answer, such as warnings of a server, are told once each. */

/** Beyond so many different ones none is told any more. */
const textsMax = 200;

export function onceEach(tell: (text: string) => void): (text: string) => void {
  const told = new Set<string>();
  return (text) => {
    if (told.has(text) || told.size >= textsMax) return;
    told.add(text);
    tell(text);
  };
}

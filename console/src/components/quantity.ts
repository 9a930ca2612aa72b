/** "32.000000" as "32", "0.891088" as it is: a quantity as the API wrote it, without zeros that say nothing. */
export function shortQuantity(text: string): string {
  return /^-?[0-9]+\.[0-9]+$/.test(text) ? text.replace(/\.?0+$/, "") : text;
}

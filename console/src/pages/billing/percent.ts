/** "0.06" as "6 %"; what is no decimal, such as 1/3, stays as it is. */
export function percentText(rate: string): string {
  const match = /^([0-9]+)(?:\.([0-9]+))?$/.exec(rate);
  if (match === null) return rate;
  const [, whole = "0", rest = ""] = match;
  const digits = `${whole}${rest.padEnd(2, "0").slice(0, 2)}`.replace(/^0+(?=[0-9])/, "");
  const more = rest.slice(2).replace(/0+$/, "");
  return `${digits}${more === "" ? "" : `.${more}`} %`;
}

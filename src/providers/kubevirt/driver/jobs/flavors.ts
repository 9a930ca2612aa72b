/** Which nodes a flavor's label picks. Pure. */

export function isOn(
  { nodeLabels }: { readonly nodeLabels: Readonly<Record<string, string>> },
  labels: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(nodeLabels).every(([key, value]) => labels[key] === value);
}

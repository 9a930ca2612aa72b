/**
 * Labels that the product gives hosts itself (their site, images, driver of GPUs). A shape asks for some of
 * them because of its image or of where its disk is, whatever its flavor asks for. Pure.
 */
const prefix = "millrace/";

type Labels = Readonly<Record<string, string>>;

export function isOwnLabel(name: string): boolean {
  return name.startsWith(prefix);
}

export function ownLabelsOf(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => isOwnLabel(name)));
}

/** All but those. */
export function othersLabelsOf(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !isOwnLabel(name)));
}

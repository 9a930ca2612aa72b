/** Which images hosts may start, as their labels say it (hosts-read.ts). Pure. */
import { imageLabel, imageLabelPrefix, imageThere } from "#kernel/image-label.ts";

import type { PlaceAsk } from "./ask.ts";
import type { HostState } from "./host-state.ts";

export function hasImage({ labels }: Pick<HostState, "labels">, image: string): boolean {
  return labels[imageLabel(image)] === imageThere;
}

/** Kept as long as the hosts are. */
const known = new WeakMap<readonly HostState[], boolean>();

/** What to ask of these hosts for a machine of the image: nothing where no site says what it has. */
export function wantsImage(hosts: readonly HostState[], image: string): Pick<PlaceAsk, "image"> {
  let isSaid = known.get(hosts);
  if (isSaid === undefined) {
    isSaid = hosts.some(({ labels }) =>
      Object.keys(labels).some((label) => label.startsWith(imageLabelPrefix)),
    );
    known.set(hosts, isSaid);
  }
  return isSaid ? { image } : {};
}

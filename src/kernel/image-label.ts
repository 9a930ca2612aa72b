/** A label that a host has for each image of its site, where sites say which they have. */
export const imageLabelPrefix = "millrace/image/";

export function imageLabel(image: string): string {
  return `${imageLabelPrefix}${image}`;
}

export const imageThere = "there";

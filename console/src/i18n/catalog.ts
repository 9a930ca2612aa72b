/** The form of the texts: nested objects of strings; English gives the keys, Chinese has the same. */
import type { en } from "./en/index.ts";

/**
 * What the other language must have: each key, but for English singulars (`…_one`), which other
 * languages may not know.
 */
export type SameKeys<T> = {
  readonly [K in keyof T as K extends `${string}_one` ? never : K]: T[K] extends string
    ? string
    : SameKeys<T[K]>;
};

type Leaves<T> = {
  [K in keyof T & string]: T[K] extends string ? Singular<K> : `${K}.${Leaves<T[K]>}`;
}[keyof T & string];

/** `items_one` and `items_other` are asked for as `items`, with a `count`. */
type Singular<K extends string> = K extends `${infer Base}_one`
  ? Base
  : K extends `${infer Base}_other`
    ? Base
    : K;

/** Every text there is, by its path, e.g. `home.title`. */
export type TextKey = Leaves<typeof en>;

/**
 * Brands: a plain value that has passed a check, told apart by the compiler from one that has not.
 * A brand is given only by a type guard that really checks, so there is no cast anywhere.
 */
declare const brand: unique symbol;

export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

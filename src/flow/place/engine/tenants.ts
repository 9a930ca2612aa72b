/**
 * What of a fleet depends on who asks: hosts where a tenant keeps its instances apart, and hosts with
 * a softly isolated device that it has begun, where it may go on and nobody else may. The scores of
 * kinds are those of a stranger; a choice looks at these few hosts on its own.
 */

/** No tenant, or one that holds nothing here. */
export const stranger = 0;
/** The device has several tenants, so it is nobody's. */
export const several = -1;

export class Tenants {
  readonly #numbers = new Map<string, number>();
  readonly apart = new SlotsOf();
  readonly begun = new SlotsOf();

  /** A number of its own, from 1 on. */
  number(tenantId: string): number {
    let number = this.#numbers.get(tenantId);
    if (number === undefined) {
      number = this.#numbers.size + 1;
      this.#numbers.set(tenantId, number);
    }
    return number;
  }

  known(tenantId: string): number {
    return this.#numbers.get(tenantId) ?? stranger;
  }
}

/** How many things a tenant has on which slots. */
class SlotsOf {
  readonly #counts = new Map<number, Map<number, number>>();

  add(tenant: number, slot: number, by: 1 | -1): void {
    let slots = this.#counts.get(tenant);
    if (slots === undefined) {
      slots = new Map();
      this.#counts.set(tenant, slots);
    }
    const count = (slots.get(slot) ?? 0) + by;
    if (count > 0) slots.set(slot, count);
    else slots.delete(slot);
    if (slots.size === 0) this.#counts.delete(tenant);
  }

  has(tenant: number, slot: number): boolean {
    return this.#counts.get(tenant)?.has(slot) ?? false;
  }

  any(tenant: number): boolean {
    return this.#counts.has(tenant);
  }

  of(tenant: number): readonly number[] {
    return [...(this.#counts.get(tenant)?.keys() ?? [])];
  }
}

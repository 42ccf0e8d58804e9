import type { Random } from '@gudang/testing/random';

export interface Product {
  readonly id: string;
  readonly quantity: number;
}

/** Creates products, of which some sell out soon, some run low, and some never sell out. */
export function createProducts(random: Random, label: string): Product[] {
  const quantities = [
    random.between(3, 15),
    random.between(3, 15),
    random.between(40, 150),
    random.between(40, 150),
    random.between(40, 150),
    1_000_000,
    1_000_000,
    2_147_483_000,
  ];
  return quantities.map((quantity, index) => ({ id: `${label}-p${index}`, quantity }));
}

import type { OrderState } from './order-store.ts';

/** The last order of this page, for the form that made it. */
export interface OwnOrder {
  readonly order: OrderState;
  /** From the press of the button until the whole outcome was on the screen, in ms; absent before. */
  readonly tookMs?: number;
}

const number = new Intl.NumberFormat();

/**
 * What became of an order, in plain words.
 * @param name the product's, or its id where there is no such product
 * @param left how many there are; undefined when that is not known
 */
export function outcomeOf(
  { quantity, status, rejectionReason }: OrderState,
  name: string,
  left: number | undefined,
): string {
  const wanted = `${number.format(quantity)} × ${name}`;
  if (status === 'PENDING') return `Taken: ${wanted}. Waiting for the stock to decide.`;
  if (status === 'CONFIRMED') {
    return `Confirmed: ${wanted}.${left === undefined ? '' : ` ${number.format(left)} left.`}`;
  }
  if (rejectionReason === 'UNKNOWN_PRODUCT') {
    return `Rejected: there is no product “${name}”. Nothing was taken; check its name.`;
  }
  const there = left === undefined ? 'there are fewer' : `only ${number.format(left)} there`;
  return `Rejected: not enough ${name}. You asked for ${number.format(quantity)}, ${there}. Nothing was taken; order fewer.`;
}

import { randomUUID } from 'node:crypto';

export interface BadValue {
  readonly value: string | Buffer | null;
  /** Pattern of the reason in the value's dead letter. */
  readonly reason: RegExp;
}

/** Returns values that violate the contract of order_created, each in a different way. */
export function badValues(
  productId: string,
  known: { readonly id: string; readonly quantity: number },
): BadValue[] {
  const order = (changes: object): string =>
    JSON.stringify({
      id: randomUUID(),
      product_id: productId,
      quantity: 1,
      timestamp: new Date().toISOString(),
      ...changes,
    });
  const quantity = /quantity must be a whole number from 1 to 1000000/;
  return [
    { value: '{"id": ', reason: /not JSON/ },
    { value: null, reason: /null/ },
    { value: '', reason: /not JSON/ },
    { value: Buffer.from([0xff, 0xfe, 0x00]), reason: /UTF-8/ },
    { value: '[]', reason: /object/ },
    { value: '"an order"', reason: /object/ },
    { value: order({ quantity: 0 }), reason: quantity },
    { value: order({ quantity: -1 }), reason: quantity },
    { value: order({ quantity: 2 ** 31 }), reason: quantity },
    { value: order({ quantity: 1.5 }), reason: quantity },
    { value: order({ quantity: '1' }), reason: quantity },
    { value: order({ product_id: 7 }), reason: /product_id must be a string/ },
    { value: order({ product_id: '' }), reason: /product_id must not be empty/ },
    { value: order({ product_id: 'x'.repeat(101) }), reason: /at most 100 characters/ },
    { value: order({ product_id: 'nul\u0000' }), reason: /NUL/ },
    { value: order({ product_id: 'half \ud800' }), reason: /surrogate/ },
    { value: order({ id: 'order-1' }), reason: /id must be a UUID/ },
    { value: order({ id: undefined }), reason: /id must be/ },
    { value: order({ timestamp: undefined }), reason: /timestamp is missing/ },
    { value: order({ timestamp: 'yesterday' }), reason: /timestamp must be a time/ },
    {
      value: order({ id: known.id, quantity: known.quantity + 1 }),
      reason: /decided for another quantity/,
    },
    {
      value: order({ id: known.id, quantity: known.quantity, product_id: 'another' }),
      reason: /decided for another product/,
    },
  ];
}

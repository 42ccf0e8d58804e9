import { type Breach, fieldsOf, type History } from '../history-tools.ts';

/** What live streams are made from: each change in the ledger is in stock_changed, with its quantity. */
export function changesTold({ movements, records }: History): Breach[] {
  const told = new Map<string, unknown>();
  for (const { value } of records['stock_changed'] ?? []) {
    const fields = fieldsOf(value);
    told.set(`${fields?.['id']} ${fields?.['version']}`, fields?.['quantity']);
  }
  return movements.flatMap(({ stockId, version, kind, quantityAfter }): Breach[] => {
    const quantity = told.get(`${stockId} ${version}`);
    // A deleted stock's record shows its last state.
    if (quantity === quantityAfter || (kind === 'DELETED' && quantity !== undefined)) return [];
    const what =
      quantity === undefined
        ? `version ${version} of ${stockId} was never told`
        : `version ${version} of ${stockId} was told with ${quantity}; the ledger has ${quantityAfter}`;
    return [{ guarantee: 5, what }];
  });
}

import { type Breach, fieldsOf, type History } from '../history.ts';

/** Guarantee 5: each ledger entry was published, with its quantity, to the streams' topic. */
export function changesPublished({ movements, records }: History): Breach[] {
  const published = new Map<string, unknown>();
  for (const { value } of records['stock_changed'] ?? []) {
    const fields = fieldsOf(value);
    published.set(`${fields?.['id']} ${fields?.['version']}`, fields?.['quantity']);
  }
  return movements.flatMap(({ stockId, version, kind, quantityAfter }): Breach[] => {
    const quantity = published.get(`${stockId} ${version}`);
    // A deletion's record has the last quantity, but its ledger entry has 0.
    if (quantity === quantityAfter || (kind === 'DELETED' && quantity !== undefined)) return [];
    const what =
      quantity === undefined
        ? `version ${version} of ${stockId} was not published`
        : `version ${version} of ${stockId} was published with ${quantity}; the ledger has ${quantityAfter}`;
    return [{ guarantee: 5, what }];
  });
}

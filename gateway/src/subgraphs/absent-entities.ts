/** No type has such a name: what is said to be of it is shown as null. */
const ABSENT = '$absent';

/**
 * Where a subgraph says that its entities which are null are not there for whoever asks
 * (`extensions: {gudang: {absentEntities: true}}`), all of the object is null and not just the fields
 * asked for. @apollo/gateway keeps the object, and shows nulls in it where fields may be null.
 */
export function markAbsentEntities({
  data,
  extensions,
}: {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly extensions?: Readonly<Record<string, unknown>>;
}): void {
  const said = extensions?.['gudang'] as { absentEntities?: unknown } | undefined;
  const entities = data?.['_entities'];
  if (said?.absentEntities !== true || !Array.isArray(entities)) return;
  for (const [index, entity] of entities.entries()) {
    if (entity === null) entities[index] = { __typename: ABSENT };
  }
}

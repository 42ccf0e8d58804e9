import { defaultFieldResolver, type GraphQLSchema } from 'graphql';

/** A reference of the gateway to an entity, by a key that is one field named `id`. */
export interface EntityReference {
  readonly __typename: string;
  readonly id: string;
}

type Entity = object | null | undefined;

/**
 * Finds entities of one type together.
 * @returns one entry for each reference; null or undefined if the entity does not exist or is not visible
 */
export type FindEntities<C> = (
  references: readonly EntityReference[],
  context: C,
) => readonly Entity[] | Promise<readonly Entity[]>;

interface EntityArguments {
  readonly representations: readonly unknown[];
}

/**
 * Resolves `_entities` of one type by one call. @apollo/subgraph calls `__resolveReference` for each
 * reference and makes five promises for each, which took 60 µs of CPU time for 50 entities. References of
 * several types, or with another key, still go to @apollo/subgraph.
 * @param finders by the name of the type, which must be an object type
 */
export function resolveEntitiesTogether<C>(
  schema: GraphQLSchema,
  finders: Readonly<Record<string, FindEntities<C>>>,
): void {
  const field = schema.getQueryType()?.getFields()['_entities'];
  if (!field) return;
  const { resolve = defaultFieldResolver } = field;
  field.resolve = (source, args: EntityArguments, context: C, info) => {
    const { representations } = args;
    const type = typeNameOf(representations[0]);
    const find = type === undefined || !Object.hasOwn(finders, type) ? undefined : finders[type];
    if (!find || type === undefined || !areReferences(representations, type)) {
      return resolve(source, args, context, info);
    }
    return findTogether(find, representations, context, type);
  };
}

async function findTogether<C>(
  find: FindEntities<C>,
  references: readonly EntityReference[],
  context: C,
  __typename: string,
): Promise<readonly unknown[]> {
  try {
    const found = await find(references, context);
    return found.map((entity) => (entity ? Object.assign(entity, { __typename }) : null));
  } catch (error) {
    // Each entity has the error, as if it had been read alone.
    return references.map(() => error);
  }
}

function typeNameOf(reference: unknown): string | undefined {
  const { __typename: name } = (reference ?? {}) as Partial<EntityReference>;
  return typeof name === 'string' ? name : undefined;
}

function areReferences(
  given: readonly unknown[],
  type: string,
): given is readonly EntityReference[] {
  return given.every((one) => {
    if (typeNameOf(one) !== type) return false;
    return typeof (one as EntityReference).id === 'string';
  });
}

import {
  type ArgumentDefinition,
  type FieldDefinition,
  type InputFieldDefinition,
  type InputObjectType,
  isInputObjectType,
  type ObjectType,
  type Schema,
} from '@apollo/federation-internals';
import type { LoadedSupergraph } from '../supergraph.ts';

/** URL of the specification of `@idempotencyKey`, for `@link` in subgraphs. */
const IDEMPOTENCY_SPEC = 'https://gudang.dev/idempotency';

/** The place of a mutation's idempotency key. */
export interface KeyPlace {
  /** Name of the argument, followed by the names of the input fields inside it. */
  readonly path: readonly string[];
  /** Type of the marked argument or input field, for example `String`. */
  readonly type: string;
}

type Member = ArgumentDefinition<FieldDefinition<ObjectType>> | InputFieldDefinition;

/**
 * Finds the places that `@idempotencyKey` marks.
 * @returns the place of each field of `Mutation`; undefined for a field without a mark
 */
export function readKeyPlaces({
  model,
  apiSchema,
}: Pick<LoadedSupergraph, 'model' | 'apiSchema'>): ReadonlyMap<string, KeyPlace | undefined> {
  const spec = model.schema.coreFeatures?.getByIdentity(IDEMPOTENCY_SPEC);
  const directive = spec?.directiveNameInSchema('idempotencyKey');
  const places = new Map<string, KeyPlace | undefined>();
  for (const field of apiSchema.schemaDefinition.rootType('mutation')?.fields() ?? []) {
    const isMarked = (member: Member): boolean =>
      directive !== undefined && isMarkedIn(model.schema, member, directive);
    places.set(field.name, findPlace(field.arguments(), isMarked));
  }
  return places;
}

/** The clients' schema has no composed directives, and the supergraph has members that clients do not see. */
function isMarkedIn(supergraph: Schema, member: Member, directive: string): boolean {
  const inSupergraph = supergraph.elementByCoordinate(member.coordinate);
  return inSupergraph?.hasAppliedDirective(directive) ?? false;
}

/** Searches level by level: a mark on an argument precedes a mark inside an argument. */
function findPlace(
  members: readonly Member[],
  isMarked: (member: Member) => boolean,
): KeyPlace | undefined {
  const seen = new Set<InputObjectType>();
  let level = members.map((member) => ({ member, path: [member.name] }));
  while (level.length > 0) {
    for (const { member, path } of level) {
      if (isMarked(member)) return { path, type: String(member.type) };
    }
    level = level.flatMap(({ member, path }) => {
      const { type } = member;
      const inner = type?.kind === 'NonNullType' ? type.ofType : type;
      // The type of a list has no place for a single key.
      if (!inner || !isInputObjectType(inner) || seen.has(inner)) return [];
      seen.add(inner);
      return inner.fields().map((field) => ({ member: field, path: [...path, field.name] }));
    });
  }
  return undefined;
}

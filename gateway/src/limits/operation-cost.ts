import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { CostDirectives } from './cost-directives.ts';
import { ASSUMED_SIZE, countInputs, sizeOf, type Variables, withDefaults } from './list-size.ts';

/**
 * Number of units in a cost of 1. Costs are added up in these units, because sums of the fraction 0.1
 * are inexact.
 */
const UNITS = 10;
const VALUE_WEIGHT = 1;
const OBJECT_WEIGHT = 1 * UNITS;
/** Weight of a mutation, in addition to the cost of its result. */
const MUTATION_WEIGHT = 10 * UNITS;

/**
 * Cost of selections, in units. `own` is counted once. `sized` is the cost per element of those lists whose
 * size the parent field sets.
 */
interface Cost {
  readonly own: number;
  readonly sized: number;
}

const NOTHING: Cost = { own: 0, sized: 0 };
const TYPENAME: Cost = { own: VALUE_WEIGHT, sized: 0 };
const ANY = undefined;

/**
 * Maximum cost, far above any limit. Costs are capped so that they never become Infinity, because
 * Infinity times 0 is not a number.
 */
const MOST = Number.MAX_SAFE_INTEGER;

const sum = (terms: readonly number[]): number =>
  Math.min(
    terms.reduce((total, term) => total + term, 0),
    MOST,
  );
const product = (one: number, other: number): number => Math.min(one * other, MOST);

/**
 * Returns the cost of an operation: 1 for each object, 0.1 for each scalar or enum value, because each
 * alias of a long text adds to the answer, 1 for each input object in a list, and 10 more for each mutation.
 * Each cost of a result is multiplied by the sizes of the lists around it. A field that has a list of input
 * objects returns a list of this size, if the schema says nothing else. All branches of a union count. Fields that `@skip` may exclude
 * also count.
 */
export function operationCost(
  { schema, directives, document, operation }: MeasuredOperation,
  variables: Variables,
): number {
  const root = schema.getRootType(operation.operation);
  if (!root) return 0;
  const costOf = createSelectionCosts(
    { schema, directives, document, operation },
    withDefaults(variables, operation),
  );
  const { own, sized } = costOf(root, operation.selectionSet, ANY);
  return sum([own, product(sized, ASSUMED_SIZE)]) / UNITS;
}

interface MeasuredOperation {
  readonly schema: GraphQLSchema;
  readonly directives: CostDirectives;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
}

type SizedFields = readonly string[] | typeof ANY;

function createSelectionCosts(
  { schema, directives, document }: MeasuredOperation,
  variables: Variables,
) {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of document.definitions) {
    if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  }
  const known = new Map<string, Cost>();
  const mutation = schema.getMutationType();

  /** Returns a fragment's cost, which also depends on the fields whose list size a parent sets. */
  const ofFragment = (name: string, sizedFields: SizedFields): Cost => {
    const key = `${name} ${sizedFields?.join()}`;
    const found = known.get(key);
    if (found) return found;
    // This entry ends the recursion of a fragment that spreads itself. Validation rejects such
    // fragments later.
    known.set(key, NOTHING);
    const fragment = fragments.get(name);
    const type = fragment && schema.getType(fragment.typeCondition.name.value);
    const cost = type ? ofSelections(type, fragment.selectionSet, sizedFields) : NOTHING;
    known.set(key, cost);
    return cost;
  };

  const ofField = (parent: GraphQLNamedType, node: FieldNode, sizedFields: SizedFields): Cost => {
    if (node.name.value === '__typename') return TYPENAME;
    const field = fieldOf(parent, node.name.value);
    if (!field) return NOTHING;
    const declared = directives.ofField(parent.name, field.name);
    const inputs = countInputs(node, field, declared?.list, variables);
    const size =
      sizeOf(node, field, declared?.list, variables) ?? (inputs > 0 ? inputs : undefined);
    const type = getNamedType(field.type);
    const usual = isCompositeType(type) ? OBJECT_WEIGHT : VALUE_WEIGHT;
    const given = declared?.weight ?? directives.ofType(type.name);
    const weight = given === undefined ? usual : given * UNITS;
    const once =
      inputs * OBJECT_WEIGHT +
      (parent === mutation ? MUTATION_WEIGHT : 0) +
      ofRequired(parent, field.name);
    const inner = node.selectionSet
      ? ofSelections(type, node.selectionSet, declared?.list?.fields)
      : NOTHING;
    const many = isList(field.type);
    const assumed = many ? ASSUMED_SIZE : (size ?? ASSUMED_SIZE);
    const one = sum([weight, inner.own, product(inner.sized, assumed)]);
    if (!many) return { own: sum([once, one]), sized: 0 };
    if (size !== undefined) return { own: sum([once, product(one, size)]), sized: 0 };
    const byParent = sizedFields?.includes(field.name) ?? true;
    return byParent
      ? { own: once, sized: one }
      : { own: sum([once, product(one, ASSUMED_SIZE)]), sized: 0 };
  };

  /** The selections that a field requires cost as much as if the client had selected them. */
  let isInRequired = false;
  const ofRequired = (parent: GraphQLNamedType, field: string): number => {
    const required = isInRequired ? undefined : directives.requiredBy?.(parent.name, field);
    if (!required) return 0;
    isInRequired = true;
    const costs = required.map((set) => ofSelections(parent, set, ANY));
    isInRequired = false;
    return sum(costs.map(({ own, sized }) => sum([own, product(sized, ASSUMED_SIZE)])));
  };

  const ofSelections = (
    type: GraphQLNamedType,
    { selections }: SelectionSetNode,
    sizedFields: SizedFields,
  ): Cost => {
    const costs = selections.map((selection): Cost => {
      if (selection.kind === Kind.FIELD) return ofField(type, selection, sizedFields);
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        return ofFragment(selection.name.value, sizedFields);
      }
      const condition = selection.typeCondition?.name.value;
      const narrowed = condition === undefined ? type : schema.getType(condition);
      return narrowed ? ofSelections(narrowed, selection.selectionSet, sizedFields) : NOTHING;
    });
    return {
      own: sum(costs.map(({ own }) => own)),
      sized: sum(costs.map(({ sized }) => sized)),
    };
  };
  return ofSelections;
}

/**
 * Returns the definition of a field. The result is undefined for introspection fields such as
 * `__schema`. They have no cost, but the depth limit applies to them.
 */
function fieldOf(type: GraphQLNamedType, name: string): GraphQLField<unknown, unknown> | undefined {
  return isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
}

function isList(type: GraphQLOutputType): boolean {
  return isListType(getNullableType(type));
}

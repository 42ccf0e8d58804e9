import type { ObjectType } from '@apollo/federation-internals';
import { Kind, type SelectionSetNode } from 'graphql';
import { readRequiredSelections } from '../required-fields.ts';
import type { LoadedSupergraph } from '../supergraph.ts';

/**
 * Federation's specification of `@cost` and `@listSize`. Subgraphs import these directives together
 * with `@key`.
 */
const COST_SPEC = 'https://specs.apollo.dev/cost';

/** Cost of a field as declared by `@cost` and `@listSize`. */
export interface FieldCost {
  /** Weight that replaces the weight of the field's type. */
  readonly weight?: number;
  readonly list?: ListSize;
}

export interface ListSize {
  /** Size of the list if no argument sets it. */
  readonly assumed?: number;
  /** Names of the arguments that set the size. */
  readonly arguments?: readonly string[];
  /**
   * Names of list fields inside the returned object. The size applies to these lists instead of to
   * the field itself.
   */
  readonly fields?: readonly string[];
}

export interface CostDirectives {
  readonly ofField: (type: string, field: string) => FieldCost | undefined;
  readonly ofType: (type: string) => number | undefined;
  /** Fields with arguments that a field requires of its object: they may ask for any number of objects. */
  readonly requiredBy?: (type: string, field: string) => readonly SelectionSetNode[] | undefined;
}

/** Collects the directives `@cost` and `@listSize` of a supergraph. */
export function collectCostDirectives({ model }: Pick<LoadedSupergraph, 'model'>): CostDirectives {
  const required = new Map(
    [...readRequiredSelections({ model })].filter(([, sets]) => sets.some(hasArguments)),
  );
  const spec = model.schema.coreFeatures?.getByIdentity(COST_SPEC);
  const fields = new Map<string, FieldCost>();
  const types = new Map<string, number>();
  if (spec) {
    const names = {
      cost: spec.directiveNameInSchema('cost'),
      listSize: spec.directiveNameInSchema('listSize'),
    };
    for (const type of model.schema.types()) {
      const weight = readWeight(type, names.cost);
      if (weight !== undefined) types.set(type.name, weight);
      if (type.kind !== 'ObjectType' && type.kind !== 'InterfaceType') continue;
      for (const field of (type as ObjectType).fields()) {
        const cost = readFieldCost(field, names);
        if (cost) fields.set(`${type.name}.${field.name}`, cost);
      }
    }
  }
  return {
    ofField: (type, field) => fields.get(`${type}.${field}`),
    ofType: (type) => types.get(type),
    ...(required.size > 0 ? { requiredBy: (type, field) => required.get(`${type}.${field}`) } : {}),
  };
}

interface Marked {
  readonly appliedDirectives: readonly {
    readonly name: string;
    arguments(): Readonly<Record<string, unknown>>;
  }[];
}

function argumentsOf({ appliedDirectives }: Marked, directive: string) {
  return appliedDirectives.find(({ name }) => name === directive)?.arguments();
}

function readWeight(marked: Marked, directive: string): number | undefined {
  const weight = argumentsOf(marked, directive)?.['weight'];
  return typeof weight === 'number' ? weight : undefined;
}

function readFieldCost(
  field: Marked,
  names: { readonly cost: string; readonly listSize: string },
): FieldCost | undefined {
  const weight = readWeight(field, names.cost);
  const size = argumentsOf(field, names.listSize);
  if (weight === undefined && !size) return undefined;
  const { assumedSize, slicingArguments, sizedFields } = size ?? {};
  const list: ListSize = {
    ...(typeof assumedSize === 'number' ? { assumed: assumedSize } : {}),
    ...(isFilled(slicingArguments) ? { arguments: slicingArguments } : {}),
    ...(isFilled(sizedFields) ? { fields: sizedFields } : {}),
  };
  return { ...(weight === undefined ? {} : { weight }), ...(size ? { list } : {}) };
}

/** Composition guarantees that the elements are strings. */
function isFilled(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0;
}

function hasArguments({ selections }: SelectionSetNode): boolean {
  return selections.some((one) => {
    if (one.kind === Kind.FRAGMENT_SPREAD) return false;
    const isGiven = one.kind === Kind.FIELD && one.arguments?.length;
    return isGiven || (one.selectionSet !== undefined && hasArguments(one.selectionSet));
  });
}

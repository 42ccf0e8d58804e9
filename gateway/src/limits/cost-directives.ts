import type { ObjectType } from '@apollo/federation-internals';
import type { LoadedSupergraph } from '../supergraph.ts';

/** Federation's own specification of `@cost` and `@listSize`; subgraphs link it with `@key`. */
const COST_SPEC = 'https://specs.apollo.dev/cost';

/** What the supergraph says of a field's cost. */
export interface FieldCost {
  /** In place of its type's weight. */
  readonly weight?: number;
  readonly list?: ListSize;
}

export interface ListSize {
  /** How many there are when no argument says it. */
  readonly assumed?: number;
  /** The arguments that say how many. */
  readonly arguments?: readonly string[];
  /** The lists of the object that the field gives which have this size, in place of itself. */
  readonly fields?: readonly string[];
}

export interface CostDirectives {
  readonly ofField: (type: string, field: string) => FieldCost | undefined;
  readonly ofType: (type: string) => number | undefined;
}

/** What `@cost` and `@listSize` say in a supergraph. */
export function collectCostDirectives({ model }: Pick<LoadedSupergraph, 'model'>): CostDirectives {
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

/** Composition has seen to it that these are texts. */
function isFilled(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0;
}

import type { InterfaceType, NamedType, ObjectType, Schema } from '@apollo/federation-internals';
import {
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  type InlineFragmentNode,
  isInterfaceType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { ParsedOperation } from '../limits/operation-parser.ts';
import type { PreparedPlan, Values } from '../plan-execution/plan-executor.ts';
import type { LoadedSupergraph } from '../supergraph.ts';
import { findOrderingVariables, fragmentsOf } from './flatten-mutation.ts';
import { type ConditionValues, conditionOf, isCondition } from './prune-conditions.ts';

/** Maximum number of plans of one operation that are kept; the least recently used one is replaced. */
export const MAX_PLANS = 16;

/** Reads the values on which an operation's plan depends from the variables of a request. */
export interface ConditionVariants {
  readonly valuesOf: (variables: Values | undefined) => ConditionValues;
}

/** Returns undefined if an operation has one plan for all values of its variables. */
export type FindConditions = (parsed: ParsedOperation) => ConditionVariants | undefined;

/**
 * Finds the variables of `@skip` and `@include` by whose values an operation has different plans.
 *
 * Apollo's planner fetches the fields that a field requires only if the field's own condition holds, but sends them
 * for the fields beside it as well. So if a condition concerns a field that requires others, directly or as part of
 * a fragment or an object, each combination of its variables has a plan of its own. Conditions of repeated
 * fields of a mutation decide which of them comes first. All other operations have one plan.
 */
export function readConditions({
  model,
  schema,
}: Pick<LoadedSupergraph, 'model' | 'schema'>): FindConditions {
  const requiring = readRequiring(model.schema);
  return (parsed) => {
    const { document, operation } = parsed;
    if (!operation.variableDefinitions?.length) return undefined;
    const names = new Set(findOrderingVariables(document, operation));
    if (requiring.size > 0) new RequiringFields(parsed, schema, requiring).addConditions(names);
    return names.size === 0 ? undefined : createVariants([...names], operation);
  };
}

/**
 * Prepares the plans of an operation by the values of its conditions. A plan is made when it is first used.
 * @param prepare makes a plan
 */
export function prepareByConditions(
  { valuesOf }: ConditionVariants,
  prepare: (values: ConditionValues) => PreparedPlan,
): PreparedPlan {
  const known = new LRUCache<string, PreparedPlan>({ max: MAX_PLANS });
  return async (variables, fetch) => {
    const values = valuesOf(variables);
    const key = keyOf(values);
    let plan = known.get(key);
    if (!plan) {
      plan = prepare(values);
      known.set(key, plan);
    }
    return plan(variables, fetch);
  };
}

/** Returns a text that is the same for the same values of an operation's conditions. */
export function keyOf(values: ConditionValues): string {
  return [...values.values()].map(Number).join('');
}

function createVariants(
  names: readonly string[],
  { variableDefinitions = [] }: OperationDefinitionNode,
): ConditionVariants {
  const defaults = new Map<string, boolean>();
  for (const { variable, defaultValue } of variableDefinitions) {
    if (defaultValue?.kind === Kind.BOOLEAN) defaults.set(variable.name.value, defaultValue.value);
  }
  return {
    valuesOf: (variables) =>
      new Map(
        names.map((name) => [
          name,
          variables && Object.hasOwn(variables, name)
            ? variables[name] === true
            : (defaults.get(name) ?? false),
        ]),
      ),
  };
}

/** Fields of an operation that require other fields. */
class RequiringFields {
  readonly #operation: OperationDefinitionNode;
  readonly #schema: GraphQLSchema;
  readonly #requiring: ReadonlySet<string>;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Whether fragments contain such a field, by name. */
  readonly #known = new Map<string, boolean>();
  #names = new Set<string>();

  /** @param requiring coordinates of the fields that require others */
  constructor(
    { document, operation }: ParsedOperation,
    schema: GraphQLSchema,
    requiring: ReadonlySet<string>,
  ) {
    this.#operation = operation;
    this.#schema = schema;
    this.#requiring = requiring;
    this.#fragments = fragmentsOf(document);
  }

  /** Adds the variables of all conditions that concern such fields. */
  addConditions(names: Set<string>): void {
    this.#names = names;
    const { operation, selectionSet } = this.#operation;
    this.#visit(selectionSet, this.#schema.getRootType(operation) ?? undefined);
  }

  /** @returns whether a selection set contains such a field */
  #visit({ selections }: SelectionSetNode, type: GraphQLNamedType | undefined): boolean {
    let isFound = false;
    for (const one of selections) {
      if (!this.#visitOne(one, type)) continue;
      isFound = true;
      for (const name of variablesOf(one)) this.#names.add(name);
    }
    return isFound;
  }

  #visitOne(one: SelectionNode, type: GraphQLNamedType | undefined): boolean {
    if (one.kind === Kind.FIELD) {
      const fields = isObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
      const inner = getNamedType(fields[one.name.value]?.type);
      const isInside = one.selectionSet ? this.#visit(one.selectionSet, inner) : false;
      return isInside || this.#requiring.has(`${type?.name}.${one.name.value}`);
    }
    if (one.kind === Kind.INLINE_FRAGMENT) return this.#visitFragment(one, type);
    const name = one.name.value;
    const fragment = this.#fragments.get(name);
    const isInside = this.#known.get(name) ?? (fragment ? this.#visitFragment(fragment) : false);
    this.#known.set(name, isInside);
    return isInside;
  }

  #visitFragment(
    { typeCondition, selectionSet }: InlineFragmentNode | FragmentDefinitionNode,
    around?: GraphQLNamedType,
  ): boolean {
    const type = typeCondition ? this.#schema.getType(typeCondition.name.value) : around;
    return this.#visit(selectionSet, type);
  }
}

/** Returns the variables of a selection's own conditions. */
function variablesOf({ directives = [] }: SelectionNode): string[] {
  return directives.filter(isCondition).flatMap((one) => {
    const value = conditionOf(one);
    return value?.kind === Kind.VARIABLE ? [value.name.value] : [];
  });
}

/**
 * Reads the coordinates of the fields that require other fields (`@requires`, `@fromContext`), in their types, and in
 * the interfaces and implementations of these.
 */
function readRequiring(schema: Schema): ReadonlySet<string> {
  const found = new Set<string>();
  for (const type of schema.types()) {
    if (!isObjectOrInterface(type)) continue;
    const family = [type, ...type.interfaces(), ...implementationsOf(type)];
    for (const field of type.fields()) {
      const requires = field.appliedDirectivesOf('join__field').some((one) => {
        const { requires, contextArguments } = one.arguments() as Record<string, unknown>;
        return requires !== undefined || contextArguments !== undefined;
      });
      if (requires) for (const one of family) found.add(`${one.name}.${field.name}`);
    }
  }
  return found;
}

function isObjectOrInterface(type: NamedType): type is ObjectType | InterfaceType {
  return type.kind === 'ObjectType' || type.kind === 'InterfaceType';
}

function implementationsOf(type: ObjectType | InterfaceType) {
  return type.kind === 'InterfaceType' ? type.allImplementations() : [];
}

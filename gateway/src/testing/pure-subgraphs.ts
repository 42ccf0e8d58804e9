import {
  type ExecutionResult,
  type GraphQLFieldResolver,
  type GraphQLOutputType,
  type GraphQLSchema,
  graphql,
  isAbstractType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import type { Values } from '../plan-execution/plan-executor.ts';
import type { SubgraphAnswer } from '../subgraphs/subgraph-answer.ts';
import type { OddGraph } from './odd-subgraphs.ts';
import { createRandom, seedOf } from './random.ts';

/** Probabilities of nulls and errors in fields that may be null, and of errors in fields that may not. */
export interface Faults {
  readonly nulls: number;
  readonly errors: number;
  readonly nonNullErrors: number;
}

type Source = Readonly<Record<string, unknown>>;

/**
 * Creates the subgraphs of the odd graph. Each value depends only on the object's id, the field and its
 * arguments, so that an operation has the same data however it is planned.
 */
export function createPureSubgraphs(graph: OddGraph, seed: number, faults: Faults) {
  const media = graph.schemas.get('products')?.getType('Media');
  if (media) {
    media.extensions = {
      ...media.extensions,
      apollo: { subgraph: { resolveReference: ({ id }: Source) => mediaOf(String(id)) } },
    };
  }
  const fieldResolver: GraphQLFieldResolver<Source | undefined, unknown> = (
    source = {},
    args,
    _context,
    { fieldName, parentType, returnType },
  ) => {
    if (source[fieldName] !== undefined) return source[fieldName];
    const id = idOf(source);
    if (fieldName === 'id') return id;
    const random = createRandom(
      seedOf(`${seed} ${id} ${fieldName} ${JSON.stringify(args)} ${nameOf(parentType.name)}`),
    );
    const isRequired = isNonNullType(returnType);
    if (random.chance(isRequired ? faults.nonNullErrors : faults.errors)) {
      throw new Error(`no ${fieldName} of ${id}`);
    }
    if (!isRequired && random.chance(faults.nulls)) return null;
    if (fieldName === 'code') return codeOf(id);
    const valueFor = (type: GraphQLOutputType): unknown => {
      if (isNonNullType(type)) return valueFor(type.ofType);
      if (isListType(type)) {
        return Array.from({ length: random.below(3) }, () => valueFor(type.ofType));
      }
      const next = String(random.below(4));
      if (isAbstractType(type)) {
        if (type.name === 'Media') return mediaOf(next);
        return {
          __typename: random.pick(
            graph.schema.getPossibleTypes(graph.schema.getType(type.name) as never),
          ).name,
          id: next,
        };
      }
      if (isObjectType(type)) return { __typename: type.name, id: next };
      if (isEnumType(type)) return random.pick(type.getValues()).name;
      if (type.name === 'Int') return random.below(100);
      if (type.name === 'Float') return random.below(100) / 4;
      if (type.name === 'Boolean') return random.chance(0.5);
      return `${fieldName} ${id} ${random.below(100)}`;
    };
    return valueFor(returnType);
  };
  return async (name: string, query: string, variables: Values): Promise<SubgraphAnswer> => {
    const schema = graph.schemas.get(name) as GraphQLSchema;
    const result: ExecutionResult = await graphql({
      schema,
      source: query,
      variableValues: variables,
      fieldResolver,
      typeResolver: (value) => value.__typename,
    });
    return JSON.parse(JSON.stringify(result));
  };
}

/** Films and books have the same fields in the subgraph that knows only media. */
const nameOf = (type: string): string => (type === 'Film' || type === 'Book' ? 'Media' : type);
const mediaOf = (id: string) => ({ __typename: Number(id) % 2 ? 'Film' : 'Book', id });
const codeOf = (id: string) => ({ of: `of ${id}`, number: Number(id) });

function idOf(source: Source): string {
  const { id, code } = source;
  return String(id ?? (code as { number?: number } | undefined)?.number ?? '0');
}

import { buildSubgraphSchema } from '@apollo/subgraph';
import {
  type DocumentNode,
  execute,
  type FieldDefinitionNode,
  type FieldNode,
  type GraphQLFieldResolver,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  type InterfaceTypeDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  type SelectionSetNode,
  subscribe,
  validate,
} from 'graphql';
import {
  appliesTo,
  assertPresent,
  computeValue,
  isNode,
  mapNodes,
  type Run,
} from './field-values.ts';
import type { DataNode, GraphData } from './graph-data.ts';
import { type GraphFacts, parseFields, textArgument } from './graph-facts.ts';
import type { GraphModel } from './graph-model.ts';
import { collectAll, type RootSource, readRoot, sendEvents } from './merged-graph.ts';

type Representation = Readonly<Record<string, unknown>>;

/** An object that the subgraph resolves. */
interface Source {
  readonly __typename: string;
  readonly node: DataNode;
  /** The representation through which the gateway has asked for the object. */
  readonly given?: Representation;
  /** External fields that are resolvable here. */
  readonly provided: readonly SelectionSetNode[];
}

export interface SubgraphRequest {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  readonly operationName?: string | undefined;
}

/**
 * A subgraph in this process. It executes only what its schema and its directives allow: an external
 * field without `@provides`, a required field that a representation lacks, or a field that another
 * subgraph has overridden is a violation.
 */
export class SubgraphServer {
  readonly name: string;
  readonly #graph: GraphModel;
  readonly #facts: GraphFacts;
  readonly #data: GraphData;
  readonly #schema: GraphQLSchema;
  readonly #documents = new Map<string, DocumentNode | string>();

  constructor(
    name: string,
    document: DocumentNode,
    { graph, facts, data }: { graph: GraphModel; facts: GraphFacts; data: GraphData },
  ) {
    this.name = name;
    this.#graph = graph;
    this.#facts = facts;
    this.#data = data;
    const resolvers: Record<string, unknown> = {};
    for (const type of document.definitions) {
      if (!isKeyed(type)) continue;
      resolvers[type.name.value] = {
        __resolveReference: (given: Representation, run: Run) => this.#find(type, given, run),
      };
    }
    this.#schema = buildSubgraphSchema([{ typeDefs: document, resolvers: resolvers as never }]);
  }

  async send({ query, variables, operationName }: SubgraphRequest, run: Run) {
    const document = this.#parse(query, run);
    const result = await execute({
      ...this.#options(document, variables, operationName, run),
      rootValue: {},
    });
    return JSON.parse(JSON.stringify(result));
  }

  /** @returns the results of all events */
  async subscribe({ query, variables, operationName }: SubgraphRequest, run: Run) {
    const stream = await subscribe({
      ...this.#options(this.#parse(query, run), variables, operationName, run),
      subscribeFieldResolver: sendEvents,
    });
    if (!(Symbol.asyncIterator in stream)) throw new Error(`No events: ${stream.errors}`);
    return JSON.parse(JSON.stringify(await collectAll(stream)));
  }

  #options(
    document: DocumentNode,
    variableValues: SubgraphRequest['variables'],
    operationName: string | undefined,
    run: Run,
  ) {
    return {
      schema: this.#schema,
      document,
      variableValues: variableValues ?? {},
      operationName: operationName ?? null,
      contextValue: run,
      fieldResolver: this.#resolve,
      typeResolver: ({ __typename }: Source) => __typename,
    };
  }

  #parse(query: string, run: Run): DocumentNode {
    let document = this.#documents.get(query);
    if (document === undefined) {
      const parsed = parse(query);
      const [error] = validate(this.#schema, parsed);
      document = error ? `invalid operation: ${error.message}` : parsed;
      this.#documents.set(query, document);
    }
    if (typeof document === 'string') throw this.#violation(run, `${document}\n${query}`);
    return document;
  }

  #violation(run: Run, text: string): Error {
    run.violations.push(`${this.name}: ${text}`);
    return new Error(text);
  }

  #find(
    type: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode,
    given: Representation,
    run: Run,
  ): Source {
    const name = type.name.value;
    const model = this.#graph.types.get(name);
    const types = model?.kind === 'interface' ? model.members : [name];
    const keys = (type.directives ?? []).filter((one) => one.name.value === 'key');
    for (const key of keys) {
      if (key.arguments?.some(({ value }) => value.kind === Kind.BOOLEAN && !value.value)) continue;
      const selection = parseFields(textArgument(key, 'fields') ?? '');
      for (const node of types.flatMap((one) => this.#data.entities(one))) {
        if (this.#matches(node, selection, given)) {
          return { __typename: this.#nameHere(node.type), node, given, provided: [] };
        }
      }
    }
    throw this.#violation(run, `no entity is ${JSON.stringify(given)}`);
  }

  #matches(node: DataNode, { selections }: SelectionSetNode, given: Representation): boolean {
    return selections.every((one) => {
      if (one.kind !== Kind.FIELD) return false;
      const value = this.#data.read(node, one.name.value, {});
      const there = given[one.name.value];
      if (!one.selectionSet || !isNode(value)) return value === there;
      const isObject = typeof there === 'object' && there !== null;
      return isObject && this.#matches(value, one.selectionSet, there as Representation);
    });
  }

  /** The name of an object's type in this subgraph, which may know only its interface. */
  #nameHere(type: string): string {
    if (this.#schema.getType(type)) return type;
    for (const one of this.#graph.types.values()) {
      if (one.kind !== 'interface' || !one.members.includes(type)) continue;
      if (one.objectIn.has(this.name)) return one.name;
    }
    return type;
  }

  readonly #resolve: GraphQLFieldResolver<Source | RootSource, Run> = (source, args, run, info) => {
    const field = info.parentType.getFields()[info.fieldName];
    const definition = field?.astNode as FieldDefinitionNode;
    const provides = fieldsOf(definition, 'provides');
    if (!('node' in source)) {
      const name = `${info.parentType.name}.${info.fieldName}`;
      this.#assertOwn(name, run);
      const value = assertPresent(readRoot(this.#data, run, info, args, source), name, run);
      return this.#wrap(value, provides);
    }
    const name = `${source.node.type}.${info.fieldName}`;
    this.#assertOwn(`${info.parentType.name}.${info.fieldName}`, run);
    const context = this.#facts.contexts.get(name);
    if (context) {
      const { [context.name]: given = null, ...rest } = args as Representation;
      return computeValue(String(info.returnType), given, rest);
    }
    const required = fieldsOf(definition, 'requires');
    if (required[0]) {
      const given = this.#collectGiven(source, required[0], run, info);
      return computeValue(String(info.returnType), given, args);
    }
    const isExternal = definition.directives?.some((one) => one.name.value === 'external');
    const provided = source.provided.flatMap((one) =>
      this.#providedBy(one, source, info.fieldName),
    );
    if (isExternal && provided.length === 0 && !this.#isKey(info)) {
      throw this.#violation(run, `${name} is external`);
    }
    const value = assertPresent(this.#data.read(source.node, info.fieldName, args), name, run);
    const nested = provided.flatMap(({ selectionSet }) => selectionSet ?? []);
    return this.#wrap(value, [...provides, ...nested]);
  };

  #assertOwn(name: string, run: Run): void {
    const own = `${this.name} ${name}`;
    const share = this.#facts.moving.get(own) ?? 100;
    if (share <= (run.draw ?? 0)) throw this.#violation(run, `${name} has not moved yet`);
    if (!this.#facts.overridden.has(own)) return;
    throw this.#violation(run, `${name} is overridden`);
  }

  #wrap(value: ReturnType<GraphData['read']>, provided: readonly SelectionSetNode[]): unknown {
    return mapNodes(
      value,
      (node): Source => ({ __typename: this.#nameHere(node.type), node, provided }),
    );
  }

  #isKey({ parentType, fieldName }: GraphQLResolveInfo): boolean {
    const keys = parentType.astNode?.directives?.filter((one) => one.name.value === 'key') ?? [];
    return keys.some((key) => (textArgument(key, 'fields') ?? '').includes(fieldName));
  }

  #providedBy({ selections }: SelectionSetNode, source: Source, field: string): FieldNode[] {
    return selections.flatMap((one): FieldNode[] => {
      if (one.kind === Kind.FIELD) return one.name.value === field ? [one] : [];
      if (one.kind === Kind.FRAGMENT_SPREAD) return [];
      const condition = one.typeCondition?.name.value;
      const applies = appliesTo(this.#schema, condition, source.__typename);
      return applies ? this.#providedBy(one.selectionSet, source, field) : [];
    });
  }

  /** Reads a required selection from a representation. */
  #collectGiven(
    source: Source,
    selection: SelectionSetNode,
    run: Run,
    info: GraphQLResolveInfo,
  ): unknown {
    const collect = (
      given: Representation,
      { selections }: SelectionSetNode,
      type: string,
    ): Record<string, unknown> => {
      const collected: Record<string, unknown> = {};
      for (const one of selections) {
        if (one.kind === Kind.INLINE_FRAGMENT) {
          const named = String(given['__typename'] ?? type);
          if (appliesTo(this.#schema, one.typeCondition?.name.value, named)) {
            Object.assign(collected, collect(given, one.selectionSet, named));
          }
        }
        if (one.kind !== Kind.FIELD || one.name.value === '__typename') continue;
        const value = given[one.name.value];
        if (value === undefined) {
          const missing = `${info.parentType.name}.${info.fieldName} requires ${one.name.value}`;
          throw this.#violation(run, `${missing}, not in ${JSON.stringify(source.given)}`);
        }
        const nested = one.selectionSet;
        const map = (inner: unknown): unknown => {
          if (Array.isArray(inner)) return inner.map(map);
          if (inner === null || !nested) return inner;
          return collect(inner as Representation, nested, '');
        };
        collected[one.name.value] = map(value);
      }
      return collected;
    };
    return collect(source.given ?? {}, selection, source.__typename);
  }
}

function isKeyed(
  type: DocumentNode['definitions'][number],
): type is ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode {
  const isComposite =
    type.kind === Kind.OBJECT_TYPE_DEFINITION || type.kind === Kind.INTERFACE_TYPE_DEFINITION;
  return isComposite && (type.directives ?? []).some((one) => one.name.value === 'key');
}

const selections = new WeakMap<FieldDefinitionNode, Map<string, SelectionSetNode[]>>();

/** The selection in a directive of a field; empty if the field does not have the directive. */
function fieldsOf(field: FieldDefinitionNode, directive: string): readonly SelectionSetNode[] {
  const ofField = selections.get(field) ?? new Map<string, SelectionSetNode[]>();
  selections.set(field, ofField);
  const known = ofField.get(directive);
  if (known) return known;
  const found = (field.directives ?? [])
    .filter((one) => one.name.value === directive)
    .map((one) => parseFields(textArgument(one, 'fields') ?? ''));
  ofField.set(directive, found);
  return found;
}

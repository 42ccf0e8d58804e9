import { createRandom, type Random, seedOf } from '@gudang/testing/random';
import { Kind, parseType, type TypeNode } from 'graphql';
import { findField, type GraphModel, type ObjectModel, runtimeTypes } from './graph-model.ts';

/** An object of the graph. Its values depend only on the graph's seed. */
export interface DataNode {
  /** Name of an object type. */
  readonly type: string;
  readonly id: string;
  /** The object whose field has returned this one. */
  readonly around?: DataNode;
}

/** The value of a field that fails. */
export const FAILURE = Symbol('failure');

export type DataValue =
  | null
  | string
  | number
  | boolean
  | typeof FAILURE
  | DataNode
  | readonly DataValue[];

/** Number of entities of each type. */
const ENTITIES = 3;
const NULLS = 0.12;
const FAILURES = 0.05;
const COLORS = ['RED', 'GREEN', 'BLUE'];

const parsedTypes = new Map<string, TypeNode>();

function parsed(type: string): TypeNode {
  const known = parsedTypes.get(type) ?? parseType(type);
  parsedTypes.set(type, known);
  return known;
}

/** The random data of a graph. All subgraphs that resolve a field return the same value. */
export class GraphData {
  readonly #graph: GraphModel;
  /** Fields whose non-null values never fail, because other fields need them. */
  readonly #needed: (type: string, field: string) => boolean;
  readonly #known = new Map<string, DataValue>();

  constructor(graph: GraphModel, needed: (type: string, field: string) => boolean) {
    this.#graph = graph;
    this.#needed = needed;
  }

  entities(type: string): DataNode[] {
    return Array.from({ length: ENTITIES }, (_, index) => ({ type, id: String(index) }));
  }

  /** @param salt distinguishes values of a field that change, such as those of events */
  read(node: DataNode, field: string, args: unknown, salt = ''): DataValue {
    const key = `${node.type}:${node.id}.${field}(${JSON.stringify(args)})${salt}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const value = this.#keyValue(node, field) ?? this.#fieldValue(node, field, key);
    this.#known.set(key, value);
    return value;
  }

  /** Values of keys are unique for each entity of a type; ids, for all entities. */
  #keyValue({ type, id }: DataNode, field: string): DataValue | undefined {
    const model = this.#graph.types.get(type);
    if (type === 'Ref') return field === 'of' ? id : id.length * 10 + Number(id.at(-1));
    if (model?.kind !== 'entity') return undefined;
    const number = Number(id);
    const rank = [...this.#graph.types.keys()].indexOf(type);
    if (field === 'id') return `${type}-${id}`;
    if (field === 'code') return rank * 100 + number;
    if (field === 'region') return number % 2 === 0 ? 'eu' : 'us';
    if (field === 'num') return number;
    if (field === 'ref') return { type: 'Ref', id: `${type}:${id}` };
    if (field === 'boss') return { type: 'E0', id };
    return undefined;
  }

  #fieldValue(node: DataNode, name: string, key: string): DataValue {
    const field = findField(this.#graph, node.type, name);
    if (!field) throw new Error(`The model has no field ${node.type}.${name}`);
    const random = createRandom(seedOf(this.#graph.seed, key));
    const needed = this.#needed(node.type, name);
    const possible = runtimeTypes(this.#graph, field);
    return this.#value(parsed(field.type), random, possible, key, needed);
  }

  #value(
    type: TypeNode,
    random: Random,
    possible: readonly string[],
    path: string,
    needed: boolean,
  ): DataValue {
    if (type.kind === Kind.NON_NULL_TYPE) {
      if (this.#graph.fails && !needed && random.chance(FAILURES / 3)) return FAILURE;
      return this.#present(type.type, random, possible, path, needed);
    }
    if (this.#graph.fails && random.chance(FAILURES)) return FAILURE;
    if (random.chance(NULLS)) return null;
    return this.#present(type, random, possible, path, needed);
  }

  #present(
    type: Exclude<TypeNode, { kind: 'NonNullType' }>,
    random: Random,
    possible: readonly string[],
    path: string,
    needed: boolean,
  ): DataValue {
    if (type.kind === Kind.LIST_TYPE) {
      return Array.from({ length: random.between(0, 3) }, (_, index) =>
        this.#value(type.type, random, possible, `${path}[${index}]`, needed),
      );
    }
    const name = type.name.value;
    if (name === 'Int') return random.between(-5, 1_000);
    if (name === 'String' || name === 'ID') return `${name}${random.between(0, 1_000)}`;
    if (name === 'Boolean') return random.chance(0.5);
    if (name === 'Color') return random.pick(COLORS);
    const picked = random.pick(possible);
    const model = this.#graph.types.get(picked) as ObjectModel;
    const id = model.kind === 'entity' ? String(random.between(0, ENTITIES - 1)) : path;
    return { type: picked, id };
  }
}

import { createRandom, type Random, seedOf } from '@gudang/testing/random';
import { addContexts } from './context-fields.ts';
import { addProvides, addRequires } from './external-fields.ts';
import { GraphBuilder } from './graph-builder.ts';
import type { FieldSpec, GraphModel } from './graph-model.ts';

const SCALARS = ['Int', 'String', 'Boolean', 'ID', 'Color'];
const SCALAR_WRAPPERS = ['', '', '', '!', '!', '[]', '[!]!', '[[!]]'];
const OBJECT_WRAPPERS = ['', '', '', '!', '[]', '[!]!', '[!]', '[[]]'];
const ARGUMENTS = [
  'n: Int',
  'n: Int = 3',
  'like: Like',
  'colors: [Color!] = [RED]',
  'must: Int!',
  'text: String',
];
const KEYS = ['id', 'id', 'id', 'code', 'region num', 'ref { of num }', 'boss { id }', 'id num'];

/** Generates a graph. Not every graph can be composed. */
export function generateGraph(seed: number): GraphModel {
  const random = createRandom(seedOf(seed, 'graph'));
  const graph = new GraphBuilder(seed, random);
  createTypes(graph, random);
  createSpecs(graph, random);
  createAbstracts(graph, random);
  placeFields(graph, random);
  addRequires(graph, random);
  placeRoots(graph, random);
  addProvides(graph, random);
  addContexts(graph, random);
  overrideFields(graph, random);
  return graph;
}

function createTypes(graph: GraphBuilder, random: Random): void {
  const count = random.pick([1, 2, 2, 3, 3, 4]);
  for (let index = 0; index < count; index += 1) {
    const keys = [random.pick(KEYS), ...(random.chance(0.5) ? [random.pick(KEYS)] : [])];
    const usable = keys.filter((key) => index > 0 || !key.includes('boss'));
    graph.addObject('entity', `E${index}`, [...new Set(usable.length > 0 ? usable : ['id'])]);
  }
  const values = random.pick([0, 1, 1, 2]);
  for (let index = 0; index < values; index += 1) graph.addObject('value', `V${index}`, []);
  for (const { name, kind, keys } of graph.objects()) {
    if (kind !== 'entity') continue;
    const places = graph.subgraphs.filter(() => random.chance(0.65));
    for (const place of places.length > 0 ? places : [random.pick(graph.subgraphs)]) {
      const declared = keys.filter(() => random.chance(0.8));
      graph.placeEntity(name, place, declared.length > 0 ? declared : [random.pick(keys)]);
    }
  }
}

function wrap(type: string, wrapper: string): string {
  return wrapper.startsWith('[') ? wrapper.replace(/^(\[+)/, `$1${type}`) : `${type}${wrapper}`;
}

/** Creates the fields from which types choose theirs, so that many types share fields. */
function createSpecs(graph: GraphBuilder, random: Random): void {
  const argsOf = (share: number): string[] =>
    random.chance(share) ? [random.pick(ARGUMENTS)] : [];
  for (let index = 0; index < 7; index += 1) {
    const type = wrap(random.pick(SCALARS), random.pick(SCALAR_WRAPPERS));
    graph.scalarSpecs.push({ name: `s${index}`, type, args: argsOf(0.25) });
  }
  for (const { name } of graph.objects()) {
    const count = random.between(1, 2);
    for (let index = 0; index < count; index += 1) {
      const type = wrap(name, random.pick(OBJECT_WRAPPERS));
      const spec = { name: `${name.toLowerCase()}_${index}`, type, args: argsOf(0.15) };
      graph.objectSpecs.push(spec);
    }
  }
}

function createAbstracts(graph: GraphBuilder, random: Random): void {
  const entities = graph.objects().filter(({ kind }) => kind === 'entity');
  const membersOf = (all: readonly { name: string }[]): string[] =>
    random
      .shuffled(all)
      .slice(0, random.between(1, 3))
      .map(({ name }) => name);
  const interfaces = random.pick([0, 0, 1, 1, 2]);
  for (let index = 0; index < interfaces; index += 1) {
    const specs = random.shuffled([...graph.scalarSpecs, ...graph.objectSpecs]);
    graph.addInterface(`I${index}`, membersOf(entities), specs.slice(0, random.between(0, 2)));
  }
  if (random.chance(0.35)) graph.addUnion('U0', membersOf(graph.objects()));
  for (const { name, kind } of graph.abstracts()) {
    if (kind === 'interface' && random.chance(0.5)) graph.makeInterfaceObject(name);
    const type = wrap(name, random.pick(OBJECT_WRAPPERS));
    graph.objectSpecs.push({ name: `${name.toLowerCase()}_0`, type, args: [] });
  }
}

function placeFields(graph: GraphBuilder, random: Random): void {
  const specs = (): FieldSpec[] => [
    ...random.shuffled(graph.scalarSpecs).slice(0, random.between(1, 3)),
    ...random.shuffled(graph.objectSpecs).slice(0, random.between(0, 2)),
  ];
  for (const object of graph.objects()) {
    for (const spec of new Set([...graph.interfaceSpecs(object.name), ...specs()])) {
      if (object.kind === 'value') graph.addValueField(object.name, spec);
      else graph.addEntityField(object.name, spec, random.chance(0.2));
    }
  }
  for (const one of graph.abstracts()) {
    for (const place of one.objectIn.keys()) {
      for (const spec of specs()) graph.addInterfaceObjectField(one.name, place, spec);
    }
  }
}

function placeRoots(graph: GraphBuilder, random: Random): void {
  const add = (root: 'Query' | 'Mutation' | 'Subscription', place: string): void => {
    const known = [...graph.types.keys()].filter((name) => name !== 'Ref');
    const types = [...known, ...(random.chance(0.3) ? ['Int', 'String!'] : [])];
    const named = random.pick(types);
    const type = named.endsWith('!') ? named : wrap(named, random.pick(OBJECT_WRAPPERS));
    const args = random.chance(0.3) ? [random.pick(ARGUMENTS)] : [];
    graph.addRoot(root, place, { type, args }, root === 'Query' && random.chance(0.2));
  };
  for (const place of graph.subgraphs) {
    for (let left = random.between(1, 3); left > 0; left -= 1) add('Query', place);
  }
  if (random.chance(0.5)) {
    for (let left = random.between(1, 4); left > 0; left -= 1) {
      add('Mutation', random.pick(graph.subgraphs));
    }
  }
  if (random.chance(0.4)) add('Subscription', random.pick(graph.subgraphs));
}

function overrideFields(graph: GraphBuilder, random: Random): void {
  for (const object of graph.objects()) {
    if (object.kind === 'entity' && random.chance(0.3)) graph.overrideField(object.name);
  }
}

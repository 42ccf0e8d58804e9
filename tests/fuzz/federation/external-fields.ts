import type { Random } from '@gudang/testing/random';
import type { GraphBuilder } from './graph-builder.ts';
import {
  type FieldModel,
  isObjectModel,
  namedType,
  type ObjectModel,
  type Placement,
  type TypeModel,
} from './graph-model.ts';

const EXTERNAL: Placement = { resolves: false, directives: ['@external'] };

/** Adds fields that require fields of other subgraphs. */
export function addRequires(graph: GraphBuilder, random: Random): void {
  for (const entity of graph.objects()) {
    if (entity.kind !== 'entity' || !random.chance(0.6)) continue;
    for (let left = random.between(1, 2); left > 0; left -= 1) {
      const place = random.pick([...entity.at.keys()]);
      const resolvable = entity.at.get(place)?.some((key) => key.resolvable);
      if (resolvable) addRequiring(graph, random, entity, place);
    }
  }
}

function addRequiring(
  graph: GraphBuilder,
  random: Random,
  entity: ObjectModel,
  place: string,
): void {
  const parts: string[] = [];
  for (const field of random.shuffled([...entity.fields.values()])) {
    if (parts.length === 2 || (parts.length === 1 && random.chance(0.5))) break;
    if (field.at.has(place)) continue;
    const selection = selectExternal(graph, random, field, place, 2);
    if (selection !== undefined) parts.push(selection);
  }
  if (parts.length === 0) return;
  const name = `r${[...entity.fields.keys()].filter((known) => /^r\d/.test(known)).length}${entity.name.toLowerCase()}`;
  const directives = [`@requires(fields: "${parts.join(' ')}")`];
  entity.fields.set(name, {
    name,
    type: random.pick(['String', 'Int', 'String!', '[Int!]']),
    args: random.chance(0.15) ? ['n: Int'] : [],
    at: new Map([[place, { resolves: true, directives }]]),
  });
}

/**
 * Declares a field of another subgraph as external.
 * @returns a selection of the field, without aliases; undefined if there is none
 */
function selectExternal(
  graph: GraphBuilder,
  random: Random,
  field: FieldModel,
  place: string,
  depth: number,
): string | undefined {
  const named = namedType(field.type);
  const type = graph.types.get(named);
  if (!graph.ensure(named, place)) return undefined;
  const text = `${field.name}${literalArguments(field, random)}`;
  if (!type) {
    field.at.set(place, EXTERNAL);
    return text;
  }
  const inner = selectInside(graph, random, type, place, depth);
  if (inner === undefined) return undefined;
  if (!field.at.has(place)) field.at.set(place, EXTERNAL);
  return `${text} { ${inner} }`;
}

function selectInside(
  graph: GraphBuilder,
  random: Random,
  type: TypeModel,
  place: string,
  depth: number,
): string | undefined {
  if (depth === 0) return undefined;
  if (!isObjectModel(type)) {
    if (type.objectIn.has(place)) return undefined;
    const parts = [...(type.at.get(place) ?? [])].flatMap((member) => {
      const inner = selectInside(graph, random, graph.object(member), place, depth);
      return inner === undefined ? [] : [`... on ${member} { ${inner} }`];
    });
    return parts.length > 0 ? ['__typename', ...parts].join(' ') : undefined;
  }
  const parts: string[] = [];
  for (const field of random.shuffled([...type.fields.values()])) {
    if (parts.length === 2) break;
    const isOwn = field.at.get(place)?.resolves;
    if (type.kind === 'value' && !isOwn) continue;
    if (isOwn && graph.types.has(namedType(field.type))) continue;
    if (isOwn && field.at.get(place)?.directives.some((one) => one.startsWith('@requires')))
      continue;
    const selection = isOwn
      ? `${field.name}${literalArguments(field, random)}`
      : selectExternal(graph, random, field, place, depth - 1);
    if (selection !== undefined) parts.push(selection);
  }
  return parts.length > 0 ? parts.join(' ') : undefined;
}

const LITERALS: Readonly<Record<string, readonly string[]>> = {
  n: ['1', '2', '3'],
  must: ['4', '5'],
  like: ['{ n: 1 }', '{ text: \\"x\\" }'],
  colors: ['[BLUE]', '[]'],
  text: ['\\"y\\"'],
};

function literalArguments({ args }: FieldModel, random: Random): string {
  const given = args.flatMap((one) => {
    const [name = ''] = one.split(':');
    if (!one.endsWith('!') && random.chance(0.6)) return [];
    return [`${name}: ${random.pick(LITERALS[name] ?? [])}`];
  });
  return given.length > 0 ? `(${given.join(', ')})` : '';
}

/** Lets some fields provide fields that their subgraph does not own. */
export function addProvides(graph: GraphBuilder, random: Random): void {
  const owners = [...graph.objects().map(({ fields }) => fields), ...graph.roots.values()];
  for (const owner of owners) {
    for (const field of owner.values()) {
      for (const [place, placed] of field.at) {
        if (!placed.resolves || placed.directives.some((one) => one.startsWith('@requires')))
          continue;
        if (random.chance(0.3)) addProvided(graph, random, field, place);
      }
    }
  }
}

function addProvided(graph: GraphBuilder, random: Random, field: FieldModel, place: string): void {
  const placed = field.at.get(place);
  const type = graph.types.get(namedType(field.type));
  if (!placed || !type) return;
  const select = (entity: ObjectModel): string | undefined => {
    const parts: string[] = [];
    for (const one of random.shuffled([...entity.fields.values()])) {
      const provided = parts.length < 2 ? provideField(graph, random, one, place) : undefined;
      if (provided !== undefined) parts.push(provided);
    }
    return parts.length > 0 ? parts.join(' ') : undefined;
  };
  let fields: string | undefined;
  if (isObjectModel(type)) fields = type.kind === 'entity' ? select(type) : undefined;
  else if (!type.objectIn.has(place)) {
    const parts = [...(type.at.get(place) ?? [])].flatMap((member) => {
      const inner = graph.object(member).kind === 'entity' && select(graph.object(member));
      return inner ? [`... on ${member} { ${inner} }`] : [];
    });
    fields = parts.join(' ') || undefined;
  }
  if (fields === undefined) return;
  const directives = [...placed.directives, `@provides(fields: "${fields}")`];
  field.at.set(place, { resolves: true, directives });
}

function provideField(
  graph: GraphBuilder,
  random: Random,
  field: FieldModel,
  place: string,
): string | undefined {
  if (field.at.has(place) || field.args.length > 0 || random.chance(0.4)) return undefined;
  const placements = [...field.at.values()];
  const isPlain = placements.every(({ resolves, directives }) =>
    resolves ? directives.every((one) => one === '@shareable') : directives.includes('@external'),
  );
  const type = graph.types.get(namedType(field.type));
  if (!isPlain || (type && !(isObjectModel(type) && type.kind === 'value'))) return undefined;
  const inner = type ? selectValue(graph, type, place) : '';
  if (inner === undefined) return undefined;
  for (const [other, placed] of field.at) {
    if (placed.resolves) field.at.set(other, { resolves: true, directives: ['@shareable'] });
  }
  field.at.set(place, EXTERNAL);
  return `${field.name}${inner}`;
}

function selectValue(graph: GraphBuilder, value: ObjectModel, place: string): string | undefined {
  if (!graph.ensure(value.name, place)) return undefined;
  const scalars = [...value.fields.values()].filter(
    ({ type, at, args }) => !graph.types.has(namedType(type)) && at.has(place) && args.length === 0,
  );
  return scalars.length > 0 ? ` { ${scalars.map(({ name }) => name).join(' ')} }` : undefined;
}

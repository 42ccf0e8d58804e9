import type { Random } from '@gudang/testing/random';
import type { GraphBuilder } from './graph-builder.ts';
import type { FieldModel, ObjectModel } from './graph-model.ts';

/** Name of the entity whose field has an argument from a context. */
const INNER = 'C0';

/**
 * Adds an entity that is reachable only through entities of a context, and a field of it that has an argument
 * from the nearest of them.
 */
export function addContexts(graph: GraphBuilder, random: Random): void {
  if (!random.chance(0.3)) return;
  const entities = graph.objects().filter(({ kind }) => kind === 'entity');
  const place = random.pick(graph.subgraphs);
  const type = random.pick(['Int', 'String', 'Boolean', 'ID', 'Color']);
  const around = random
    .shuffled(entities)
    .filter(({ name }) => graph.ensure(name, place))
    .slice(0, random.between(1, 2));
  const parts = around.flatMap((entity) => {
    const field = giveField(random, entity, type, place);
    return field === undefined ? [] : [{ entity, field }];
  });
  if (parts.length === 0) return;
  const others = random.shuffled(graph.subgraphs).slice(0, 2);
  graph.addObject('entity', INNER, ['id']);
  for (const one of new Set([place, ...others])) graph.placeEntity(INNER, one, ['id']);
  const inner = {
    name: 'inner',
    type: random.pick([INNER, `[${INNER}!]`, `[[${INNER}]]`]),
    args: [],
  };
  for (const { entity } of parts) {
    entity.contextIn = place;
    graph.addEntityField(entity.name, inner, random.chance(0.3));
  }
  for (const spec of random.shuffled(graph.scalarSpecs).slice(0, 2)) {
    graph.addEntityField(INNER, spec, random.chance(0.3));
  }
  const nested = { name: 'deeper', type: random.pick([INNER, `[${INNER}!]`]), args: [] };
  graph.addEntityField(INNER, nested, false);
  const selections = parts.map(({ entity, field }) => `... on ${entity.name} { ${field.name} }`);
  const from = `from: ${type} @fromContext(field: "$around ${selections.join(' ')}")`;
  graph.object(INNER).fields.set('told', {
    name: 'told',
    type: random.pick(['String', 'Int!', '[Int!]']),
    args: [from, ...(random.chance(0.4) ? ['n: Int'] : [])],
    at: new Map([[place, { resolves: true, directives: [] }]]),
  });
}

/** Finds or adds a field of a type that a context can give. */
function giveField(
  random: Random,
  entity: ObjectModel,
  type: string,
  place: string,
): FieldModel | undefined {
  const isUsable = ({ type: own, args, at }: FieldModel): boolean =>
    own.replace('!', '') === type && args.length === 0 && at.has(place);
  const known = [...entity.fields.values()].filter(isUsable);
  if (known.length > 0 && random.chance(0.5)) return random.pick(known);
  const others = [...entity.at.keys()].filter((one) => one !== place);
  const isExternal = others.length > 0 && random.chance(0.5);
  const field: FieldModel = { name: `given${type}`, type, args: [], at: new Map() };
  if (isExternal) {
    field.at.set(random.pick(others), { resolves: true, directives: [] });
    field.at.set(place, { resolves: false, directives: ['@external'] });
  } else field.at.set(place, { resolves: true, directives: [] });
  entity.fields.set(field.name, field);
  return field;
}

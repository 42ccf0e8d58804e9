import {
  type AbstractModel,
  type FieldModel,
  type GraphModel,
  isObjectModel,
  type ObjectModel,
} from './graph-model.ts';

export const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires", "@provides", "@shareable", "@override", "@interfaceObject", "@context", "@fromContext"])`;
const INPUTS = `enum Color { RED GREEN BLUE }
input Like { n: Int = 7 text: String color: Color = GREEN more: Like }`;

export interface SubgraphSdl {
  readonly name: string;
  readonly sdl: string;
}

/** Prints the schema of each subgraph. */
export function printSubgraphs(graph: GraphModel): SubgraphSdl[] {
  return graph.subgraphs.flatMap((name) => {
    const types = [...graph.types.values()].map((type) =>
      isObjectModel(type) ? printObject(graph, type, name) : printAbstract(graph, type, name),
    );
    const roots = [...graph.roots].map(([root, fields]) => printType(`type ${root}`, fields, name));
    const printed = [...types, ...roots].filter((text) => text !== '');
    return printed.length > 0 ? [{ name, sdl: [LINK, INPUTS, ...printed].join('\n') }] : [];
  });
}

function printField({ name, type, args }: FieldModel, directives: readonly string[] = []): string {
  const given = args.length > 0 ? `(${args.join(', ')})` : '';
  return ['  ', name, given, ': ', type, ...directives.map((one) => ` ${one}`)].join('');
}

function printType(head: string, fields: ReadonlyMap<string, FieldModel>, place: string): string {
  const lines = [...fields.values()].flatMap((field) => {
    const placed = field.at.get(place);
    return placed ? [printField(field, placed.directives)] : [];
  });
  return lines.length > 0 ? [`${head} {`, ...lines, '}'].join('\n') : '';
}

function printObject({ types }: GraphModel, object: ObjectModel, place: string): string {
  const keys = object.at.get(place);
  if (!keys) return '';
  const interfaces = [...types.values()].filter(
    (one) => one.kind === 'interface' && one.at.get(place)?.has(object.name),
  );
  const head = [
    `type ${object.name}`,
    ...(interfaces.length > 0
      ? [`implements ${interfaces.map(({ name }) => name).join(' & ')}`]
      : []),
    ...keys.map(
      ({ fields, resolvable }) =>
        `@key(fields: "${fields}"${resolvable ? '' : ', resolvable: false'})`,
    ),
    ...(object.contextIn === place ? ['@context(name: "around")'] : []),
  ];
  return printType(head.join(' '), object.fields, place);
}

function printAbstract({ types }: GraphModel, abstract: AbstractModel, place: string): string {
  const { name, key } = abstract;
  const added = abstract.objectIn.get(place);
  if (added) return printType(`type ${name} @key(fields: "${key}") @interfaceObject`, added, place);
  const members = [...(abstract.at.get(place) ?? [])];
  if (members.length === 0) return '';
  if (abstract.kind === 'union') return `union ${name} = ${members.join(' | ')}`;
  const isIn = (field: string): boolean =>
    members.every((member) => (types.get(member) as ObjectModel).fields.get(field)?.at.has(place));
  const id: FieldModel = { name: 'id', type: 'ID!', args: [], at: new Map() };
  const fields = [id, ...abstract.specs].filter((spec) => isIn(spec.name));
  const lines = fields.map((spec) => printField({ ...spec, at: new Map() }));
  const head = `interface ${name}${key ? ` @key(fields: "${key}")` : ''}`;
  return [`${head} {`, ...lines, '}'].join('\n');
}

import type { GeneratedOperation } from './generate-operation.ts';
import type { GraphModel } from './graph-model.ts';
import type { SubgraphSdl } from './print-subgraphs.ts';

/** Features by the text of a subgraph that has them. */
const IN_SUBGRAPHS: readonly (readonly [string, RegExp])[] = [
  ['@requires', /@requires/],
  ['@requires with arguments', /@requires\(fields: "[^"]*\(/],
  ['@requires of nested fields', /@requires\(fields: "[^"]*\{/],
  ['@provides', /@provides/],
  ['@override', /@override\([^,)]*\)/],
  ['@override with a label', /@override\([^)]*label/],
  ['@fromContext', /@fromContext/],
  ['@shareable', /@shareable/],
  ['@interfaceObject', /@interfaceObject[^,]*\{/],
  ['@key of several fields', /@key\(fields: "\w+ \w/],
  ['@key of nested fields', /@key\(fields: "[^"]*\{/],
  ['@key(resolvable: false)', /resolvable: false/],
  ['interface', /^interface /m],
  ['union', /^union /m],
  ['list of lists', /\[\[/],
];

/** Features by the text of an operation that has them. */
const IN_OPERATIONS: readonly (readonly [string, RegExp])[] = [
  ['alias', /\w+: \w+/],
  ['alias named like a key or __typename', /(?:\bid|__typename|code|num|region|ref|boss): \w/],
  ['named fragment', /^fragment /m],
  ['inline fragment', /\.\.\. (?:on|@|\{)/],
  ['@skip or @include', /@(?:skip|include)/],
  ['@defer', /@defer/],
  ['field with an argument from a context', /\btold\b/],
  ['variable', /\$(?!yes|no|unsaid)\w+/],
];

/** The features of federation and of GraphQL that an operation and its graph have. */
export function featuresOf(
  graph: GraphModel,
  subgraphs: readonly SubgraphSdl[],
  { text, kind }: GeneratedOperation,
): string[] {
  return [
    kind,
    `${subgraphs.length} subgraphs`,
    ...(graph.fails ? ['fields that fail'] : []),
    ...IN_SUBGRAPHS.filter(([, pattern]) => subgraphs.some(({ sdl }) => pattern.test(bodyOf(sdl)))),
    ...IN_OPERATIONS.filter(([, pattern]) => pattern.test(text)),
  ].map((one) => (typeof one === 'string' ? one : one[0]));
}

/** The text after the link, which imports all directives. */
function bodyOf(sdl: string): string {
  return sdl.slice(sdl.indexOf('\n'));
}

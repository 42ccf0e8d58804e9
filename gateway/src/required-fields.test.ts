import { getOperationAST, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createRequirements } from './auth/field-requirements.ts';
import { collectCostDirectives } from './limits/cost-directives.ts';
import { operationCost } from './limits/operation-cost.ts';
import { readPrivateFields } from './live/planning/private-fields.ts';
import { buildSupergraph } from './supergraph.ts';
import { composeParts } from './testing/federate.ts';

const CACHE = `extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@authenticated", "@composeDirective"])
  @link(url: "https://gudang.dev/cache/v1.0", import: ["@cacheControl"])
  @composeDirective(name: "@cacheControl")
  directive @cacheControl(scope: CacheControlScope) on FIELD_DEFINITION
  enum CacheControlScope { PUBLIC PRIVATE }`;

/** `total` requires `sum`, which requires `notes` with an argument. Composition wants all to be marked. */
const sdl = composeParts({
  a: {
    sdl: `${CACHE}
      type Query { item: Item }
      type Subscription { changed: Item }
      type Item @key(fields: "id") {
        id: ID! notes(first: Int): [Note!]! @authenticated @cacheControl(scope: PRIVATE)
      }
      type Note { text: String }`,
  },
  b: {
    sdl: `
      type Item @key(fields: "id") {
        id: ID! notes(first: Int): [Note!]! @external
        sum: Int @requires(fields: "notes(first: 20) { text }") @authenticated free: Int
      }
      type Note { text: String @external }`,
  },
  c: {
    sdl: `
      type Item @key(fields: "id") {
        id: ID! sum: Int @external total: Int @requires(fields: "sum") @authenticated
      }`,
  },
});
/** As composed before Federation 2.9.4, which does not check what fields require. */
const supergraph = buildSupergraph(sdl.replace(/^( {2}(?:sum|total): .*) @authenticated$/gm, '$1'));

function read(selection: string, kind = 'query { item') {
  const document = parse(`${kind} { ${selection} } }`);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('no operation');
  return { document, operation };
}

describe('a field that requires others', () => {
  it('has their requirements, under its own name', () => {
    expect(sdl).not.toBe(supergraph.sdl);
    const requirementsOf = createRequirements(supergraph);
    const named = (selection: string) =>
      requirementsOf(read(selection)).map(({ coordinate }) => coordinate);
    expect(named('free id')).toEqual([]);
    expect(named('sum')).toEqual(['Item.sum']);
    expect(named('total')).toEqual(['Item.total']);
  });

  it('is private if they are', () => {
    const selectsPrivate = readPrivateFields(supergraph);
    const isPrivate = (selection: string): boolean =>
      selectsPrivate(read(selection, 'subscription { changed').document);
    expect(['free id', 'sum', 'total', 'notes { text }'].map(isPrivate)).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });

  it('costs as much as they do with their arguments', () => {
    const directives = collectCostDirectives(supergraph);
    const costOf = (selection: string): number =>
      operationCost({ schema: supergraph.schema, directives, ...read(selection) }, {});
    expect(costOf('sum')).toBeCloseTo(costOf('free') + costOf('notes(first: 20) { text }') - 1);
    expect(costOf('total')).toBe(costOf('free'));
  });
});

import { readFile } from 'node:fs/promises';
import { buildSchema, Kind, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { renderSchema, schemaPage, schemaPagePath } from './schema-page.ts';

const sdl = `
  directive @authenticated on FIELD_DEFINITION
  directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION
  directive @join__field(graph: String) on FIELD_DEFINITION
  enum join__Graph { ORDER }
  "Reachable only through a directive."
  enum Unused { A }
  "A root type."
  type Query {
    "Finds a thing | or none."
    thing("Its id." id: ID!): Thing @join__field(graph: "ORDER") @authenticated
  }
  "A thing."
  type Thing {
    """
    First line
    wraps.

    Second paragraph.
    """
    name(kind: Kind): String! @requiresScopes(scopes: [["a", "b"], ["c"]])
  }
  "Its kind."
  enum Kind { "The good one." GOOD }`;

describe('docs/schema.md', () => {
  it('equals the output of `npm run schema`', async () => {
    expect(await readFile(schemaPagePath, 'utf8')).toBe(await schemaPage());
  });

  it('describes every type, field, argument and enum value', async () => {
    const page = await schemaPage();
    expect(page.split('\n').filter((line) => /\| +\|$/.test(line))).toEqual([]);
    expect(page).not.toContain('\n\n\n');
  });
});

describe('the subgraph schemas', () => {
  it('have the same descriptions for shared types', async () => {
    const described = async (subgraph: string): Promise<Map<string, string | undefined>> => {
      const file = new URL(`../../${subgraph}-subgraph/schema.graphql`, import.meta.url);
      const { definitions } = parse(await readFile(file, 'utf8'));
      return new Map(
        definitions.flatMap((node) =>
          'name' in node && node.name && 'description' in node && !isRoot(node.name.value)
            ? [
                [`${node.kind} ${node.name.value}`, node.description?.value] as const,
                ...('fields' in node ? (node.fields ?? []) : []).map(
                  (field) =>
                    [
                      `${node.name?.value}.${field.name.value}`,
                      field.kind === Kind.FIELD_DEFINITION ? field.description?.value : undefined,
                    ] as const,
                ),
              ]
            : [],
        ),
      );
    };
    const isRoot = (name: string): boolean => ['Query', 'Mutation', 'Subscription'].includes(name);
    const [order, stock] = [await described('order'), await described('stock')];
    const shared = [...order].filter(([name]) => stock.has(name));
    expect(shared.map(([name]) => name)).toContain('Stock.id');
    expect(shared.filter(([name, text]) => stock.get(name) !== text)).toEqual([]);
  });
});

describe('renderSchema', () => {
  const page = renderSchema(sdl);

  it('links types and states the required access of a root field', () => {
    expect(page).toContain(
      '### `Query.thing`\n\nFinds a thing | or none.\n\nReturns [`Thing`](#thing). Access: any valid token.',
    );
    expect(page).toContain('| `id` | `ID!` | Its id. |');
  });

  it('puts a field, its paragraphs and its scopes in one table row', () => {
    expect(page).toContain(
      '| `name` | `String!` | First line wraps.<br>Second paragraph.<br>Access: scope `a` and `b`, or `c`. |',
    );
    expect(page).toContain('| `kind` | [`Kind`](#kind) |');
  });

  it('omits federation types and types that no client can reach', () => {
    expect(page).not.toContain('join__');
    expect(page).not.toContain('Unused');
    expect(buildSchema(sdl).getType('Unused')).toBeDefined();
  });
});

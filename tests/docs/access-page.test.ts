import { readFile } from 'node:fs/promises';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { accessPage, accessPagePath, fieldsOf, renderAccess } from './access-page.ts';

const sdl = `
  directive @authenticated on FIELD_DEFINITION
  directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION
  type Query {
    stock(id: ID!): Stock
    stocks: [Stock!]!
    "Lists the caller's orders; with the scope \`order:read:all\`, all orders."
    orders: [Stock!]! @authenticated
  }
  type Mutation {
    createOrder: Stock @requiresScopes(scopes: [["order:write"]])
    cancelOrder: Stock @requiresScopes(scopes: [["order:write"]])
    addStock: Stock @requiresScopes(scopes: [["stock:write", "a:b"], ["admin:all"]])
    updateStock: Stock @authenticated
    deleteStock: Stock @authenticated
  }
  type Stock { id: ID!  by: String @requiresScopes(scopes: [["stock:write"]]) }`;

describe('docs/access.md', () => {
  it('equals the output of `npm run schema`', async () => {
    expect(await readFile(accessPagePath, 'utf8')).toBe(await accessPage());
  });
});

describe('renderAccess', () => {
  const page = renderAccess(fieldsOf(parse(sdl)));
  const sectionOf = (title: string): string =>
    page.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

  it('lists each root field for anonymous callers, for tokens, or by scope', () => {
    expect(sectionOf('Anonymous callers').match(/^- .*$/gm)).toEqual([
      '- `Query.stock`',
      '- `Query.stocks`',
    ]);
    expect(sectionOf('Any valid token').match(/^- .*$/gm)).toEqual([
      '- `Query.orders`',
      '- `Mutation.updateStock`',
      '- `Mutation.deleteStock`',
    ]);
    expect(sectionOf('Scopes')).toContain('| `stock:write` | `Mutation.addStock`, `Stock.by` |  |');
  });

  it('names the fields that return more with a scope', () => {
    expect(sectionOf('Scopes')).toContain('| `order:read:all` |  | `Query.orders` |');
  });

  it('gives a REST route the rights of its field', () => {
    expect(sectionOf('REST')).toContain(
      '| `POST /stock/add-stock` | `Mutation.addStock` | `stock:write` and `a:b`, or `admin:all` |',
    );
    expect(() => renderAccess([])).toThrow('no field Query.orders');
  });
});

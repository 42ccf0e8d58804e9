import { parse, print } from 'graphql';
import { describe, expect, it } from 'vitest';
import { federate, type Part } from '../testing/federate.ts';
import { repairSupergraph } from './repair-supergraph.ts';

const KEYS = [
  '@key(fields: "code { one }", resolvable: false)',
  '@key(fields: "id code { two three }")',
  '@key(fields: "serial", resolvable: false)',
  '@key(fields: "id", resolvable: false)',
];

interface Reference {
  readonly id?: string;
  readonly code?: { readonly two?: string; readonly three?: string };
  readonly name?: string;
}

/** Subgraph `parts` resolves only one of its keys, and its field `title` requires `name` of `names`. */
function withKeys(keys: readonly string[], kind: 'type' | 'interface' = 'type') {
  const fields = 'id: ID! serial: ID! code: Code!';
  const isInterface = kind === 'interface';
  const object = isInterface ? `type Bolt implements Part ${keys.join(' ')}` : '';
  const sdl = `
    type Query { part: Part }
    type Mutation { make: Part }
    type Code @shareable { one: ID! two: ID! three: ID! }
    ${kind} Part ${keys.join(' ')} { ${fields} ${isInterface ? '' : 'name: String! @external title: String! @requires(fields: "name")'} }
    ${isInterface ? `${object} { ${fields} name: String! @external title: String! @requires(fields: "name") }` : ''}`;
  const part = {
    __typename: isInterface ? 'Bolt' : 'Part',
    id: '1',
    serial: 's',
    code: { one: '1', two: '2', three: '3' },
  };
  const type = isInterface ? 'Bolt' : 'Part';
  const titled = {
    title: ({ name }: Reference) => `title of ${name}`,
    __resolveReference: ({ id, code, name }: Reference) => {
      if (!code?.two || !code.three) throw new Error('This key is not resolvable');
      return { ...part, id, name };
    },
  };
  const parts: Record<string, Part> = {
    parts: {
      sdl,
      resolvers: {
        Query: { part: () => part },
        Mutation: { make: () => part },
        [type]: titled,
      },
    },
    names: {
      sdl: `type Code @shareable { one: ID! two: ID! three: ID! }
        type ${type} @key(fields: "id") @key(fields: "serial", resolvable: false) {
          id: ID! serial: ID! code: Code! @shareable name: String!
        }`
        .replace(' code: Code! @shareable', '')
        .replace('type Code @shareable { one: ID! two: ID! three: ID! }', ''),
      resolvers: { [type]: { name: ({ id }: Reference) => `name ${id}` } },
    },
  };
  return federate(parts);
}

describe('keys that a subgraph does not resolve', () => {
  it.each(KEYS.map((_, index) => [...KEYS.slice(index), ...KEYS.slice(0, index)]))(
    'are not sent to it, in any order: %s %s %s %s',
    async (...keys) => {
      const { ask } = withKeys(keys);
      const data = { id: '1', title: 'title of name 1' };
      expect(await ask('{ part { id title } }')).toEqual({ data: { part: data } });
      expect(await ask('mutation { make { id title } }')).toEqual({ data: { make: data } });
    },
  );

  it('are not sent to it for types behind an interface', async () => {
    const { ask } = withKeys(KEYS, 'interface');
    expect(await ask('{ part { id ... on Bolt { title } } }')).toEqual({
      data: { part: { id: '1', title: 'title of name 1' } },
    });
  });
});

describe('repairSupergraph', () => {
  it('keeps the order of the other keys and directives', () => {
    const sdl = `type T @join__type(graph: A, key: "a", resolvable: false) @join__implements(graph: A, interface: "I") @join__type(graph: B, key: "b", resolvable: true) @join__type(graph: A, key: "c") {
  id: ID!
}`;
    const [, rest] = print(repairSupergraph(parse(sdl)).document).split('type T ');
    expect(rest?.split('{')[0]?.trim()).toBe(
      '@join__implements(graph: A, interface: "I") @join__type(graph: B, key: "b", resolvable: true) @join__type(graph: A, key: "c") @join__type(graph: A, key: "a", resolvable: false)',
    );
  });

  it('returns the given supergraph if there is nothing to repair', () => {
    const sdl = parse('type T @join__type(graph: A, key: "a") { a: ID! }');
    expect(repairSupergraph(sdl).document).toBe(sdl);
  });
});

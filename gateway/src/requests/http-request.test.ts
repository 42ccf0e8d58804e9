import { ANONYMOUS_PRINCIPAL } from '@gudang/auth';
import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { readHttpRequest } from './http-request.ts';

const QUERY = '{ a }';
const ID = { persistedQuery: { version: 1, sha256Hash: 'x' } };

const read = (request: object) =>
  readHttpRequest(
    { headers: {}, raw: { headers: {} }, url: '/graphql', ...request } as FastifyRequest,
    ANONYMOUS_PRINCIPAL,
  );
const post = (body: unknown) => read({ method: 'POST', body });
const get = (search: string) => read({ method: 'GET', url: `/graphql?${search}` });
const encode = (fields: Record<string, string>): string => String(new URLSearchParams(fields));

const EMPTY = { query: QUERY, operationName: undefined, variables: {}, extensions: undefined };

describe('a POST', () => {
  it.each<[string, object, object]>([
    ['only a query', { query: QUERY }, EMPTY],
    ['unknown keys', { query: QUERY, id: 7, __typename: [] }, EMPTY],
    [
      'null for each optional field',
      { query: QUERY, operationName: null, variables: null, extensions: null },
      EMPTY,
    ],
    ['an empty operation name', { query: QUERY, operationName: '' }, EMPTY],
    [
      'all fields',
      { query: QUERY, operationName: 'A', variables: { a: [null] }, extensions: { b: 1 } },
      { query: QUERY, operationName: 'A', variables: { a: [null] }, extensions: { b: 1 } },
    ],
    ['an id and no query', { extensions: ID }, { ...EMPTY, query: undefined, extensions: ID }],
    [
      'an id and null',
      { query: null, extensions: ID },
      { ...EMPTY, query: undefined, extensions: ID },
    ],
    [
      'an id and an empty query',
      { query: '', extensions: ID },
      { ...EMPTY, query: '', extensions: ID },
    ],
  ])('is read with %s', (_what, body, fields) => {
    expect(post(body)).toMatchObject({ ...fields, method: 'POST' });
  });

  it.each<[string, unknown, string]>([
    ['no body', undefined, 'The body of a POST must be a JSON object, sent as application/json'],
    ['null', null, 'The body of a POST must be a JSON object, sent as application/json'],
    ['a string', QUERY, 'The body of a POST must be a JSON object, sent as application/json'],
    ['a batch', [{ query: QUERY }], 'Operation batching is not supported'],
    ['an empty object', {}, "must have a non-empty 'query' or a 'persistedQuery'"],
    ['an empty query', { query: '' }, "must have a non-empty 'query' or a 'persistedQuery'"],
    ['a query in the prototype', Object.create({ query: QUERY }), 'must have a non-empty'],
    ['a query that is a list', { query: [QUERY] }, "'query' must be a string, not a list"],
    ['a query that is zero', { query: 0 }, "'query' must be a string, not a number"],
    [
      'a query that is false',
      { query: false, extensions: ID },
      "'query' must be a string, not a boolean",
    ],
    [
      'a query that is an object',
      { query: { kind: 'Document' } },
      "'query' must be a string, not an object",
    ],
    [
      'an operation name that is a number',
      { query: QUERY, operationName: 7 },
      "'operationName' must be a string",
    ],
    [
      'variables that are a string',
      { query: QUERY, variables: '{}' },
      "'variables' must be a JSON object, not a string",
    ],
    [
      'variables that are a list',
      { query: QUERY, variables: [] },
      "'variables' must be a JSON object, not a list",
    ],
    [
      'extensions that are a string',
      { query: QUERY, extensions: '{}' },
      "'extensions' must be a JSON object",
    ],
    [
      'extensions that are zero',
      { query: QUERY, extensions: 0 },
      "'extensions' must be a JSON object",
    ],
  ])('is rejected with %s', (_what, body, message) => {
    expect(() => post(body)).toThrow(message);
  });
});

describe('a GET', () => {
  it.each<[string, string, object]>([
    ['only a query', encode({ query: QUERY }), EMPTY],
    ['unknown parameters', encode({ query: QUERY, ticket: 'x', __proto__: 'y' }), EMPTY],
    ['a plus sign for a space', 'query={+a+}', { query: '{ a }' }],
    [
      'null for each optional field',
      encode({ query: QUERY, operationName: '', variables: 'null', extensions: 'null' }),
      EMPTY,
    ],
    [
      'all fields',
      encode({ query: QUERY, operationName: 'A', variables: '{"a":1}', extensions: '{"b":1}' }),
      { query: QUERY, operationName: 'A', variables: { a: 1 }, extensions: { b: 1 } },
    ],
    ['an encoded number sign', 'query=%23%0a{ a }', { query: '#\n{ a }' }],
  ])('is read with %s', (_what, search, fields) => {
    expect(get(search)).toMatchObject({ ...fields, method: 'GET' });
  });

  it.each<[string, string, string]>([
    ['no parameter', '', 'must have a non-empty'],
    ['a name that starts with a question mark', '?query={a}', 'must have a non-empty'],
    [
      'malformed percent-encoding',
      `${encode({ query: QUERY })}&a=%zz`,
      'malformed percent-encoding',
    ],
    ['an encoding that is not UTF-8', 'query={a}%ff', 'malformed percent-encoding'],
    ['a query that is given twice', 'query={a}&query={b}', "'query' is given twice"],
    ['a name that is encoded differently', 'query={a}&%71uery={b}', "'query' is given twice"],
    ['an unknown parameter that is given twice', 'query={a}&x=1&x=1', "'x' is given twice"],
    ['variables that are not JSON', 'query={a}&variables={', "'variables' is not valid JSON"],
    ['empty variables', 'query={a}&variables=', "'variables' is not valid JSON"],
    [
      'variables that are a list',
      'query={a}&variables=[]',
      "'variables' must be a JSON object, not a list",
    ],
    ['extensions that are not JSON', 'query={a}&extensions=x', "'extensions' is not valid JSON"],
  ])('is rejected with %s', (_what, search, message) => {
    expect(() => get(search)).toThrow(message);
  });

  it('passes on the headers that show a preflight, and no others', () => {
    const headers = { 'apollo-require-preflight': '1', 'x-other': '1', cookie: 'a=b' };
    expect(read({ method: 'GET', url: '/graphql?query={a}', headers }).preflight).toEqual({
      'apollo-require-preflight': '1',
    });
  });
});

it.each(['HEAD', 'PUT', 'OPTIONS', 'DELETE'])(
  '%s is rejected with the allowed methods',
  (method) => {
    expect(() => read({ method })).toThrow(
      expect.objectContaining({ status: 405, headers: { allow: 'GET, POST' } }),
    );
  },
);

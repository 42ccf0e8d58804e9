import { ANONYMOUS, UNRESTRICTED } from '@gudang/auth';
import { type GraphQLError, type OperationDefinitionNode, parse } from 'graphql';
import { beforeEach, describe, expect, it } from 'vitest';
import type { GatewayContext } from '../context.ts';
import type { AdmittedRequest } from '../limits/admission.ts';
import type { ExecutedOperation } from '../plan-execution/plan-executor.ts';
import { ACCEPTS_JSON } from '../requests/accepted-types.ts';
import { createOperationFastPath, type OperationFastPath } from './operation-fast-path.ts';
import type { ReadyContext, ReadyOperation } from './query-executor.ts';

const QUERY = 'query ($id: ID) { item(id: $id) { name } }';
const HEADERS = [['content-type', 'application/json; charset=utf-8']] as const;

/** Contexts of the requests that Apollo Server received. */
let byApollo: ReadyContext[];
/** Variables of the executions on the fast path. */
let alone: unknown[];
let answered: string[];
let result: ExecutedOperation | Error | undefined;
let fastPath: OperationFastPath;

beforeEach(() => {
  byApollo = [];
  alone = [];
  answered = [];
  result = { data: { item: { name: 'x' } } };
  fastPath = createOperationFastPath({
    apollo: {
      answer: async (request, context) => {
        byApollo.push(context as ReadyContext);
        (context as ReadyContext).onReady?.(readyFor(request.query));
        await (context as ReadyContext).executed?.catch(() => {});
        return { status: 200, headers: HEADERS, body: '{"data":"by Apollo"}' };
      },
    },
    requirementsOf: () => [{ coordinate: 'Query.item', scopes: [['read']] }],
    metrics: { answered: ({ operation }) => void answered.push(operation) },
  });
});

function readyFor(query: string): ReadyOperation {
  const document = parse(query);
  const operation = document.definitions[0] as OperationDefinitionNode;
  return {
    parsed: { document, operation },
    run: (variables) => {
      alone.push(variables);
      if (result === undefined) return undefined;
      return result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
    },
  };
}

const anybody: GatewayContext = { forward: {}, identity: UNRESTRICTED };
const ask = (
  fields: Partial<AdmittedRequest>,
  context: GatewayContext = anybody,
): ReturnType<OperationFastPath['answer']> => {
  const defaults = { query: QUERY, variables: {}, method: 'POST', accepts: ACCEPTS_JSON };
  return fastPath.answer({ ...defaults, ...fields } as AdmittedRequest, context);
};

describe('an operation that Apollo Server has answered', () => {
  it('runs on the fast path, and its answer has the same headers', async () => {
    await ask({ query: QUERY, variables: { id: '1' } });
    expect(await ask({ query: QUERY, variables: { id: '2' } })).toEqual({
      status: 200,
      headers: HEADERS,
      body: '{"data":{"item":{"name":"x"}}}',
    });
    expect([byApollo.length, alone, answered]).toEqual([1, [{ id: '2' }], ['query']]);
  });

  it('runs on the fast path if it has extensions', async () => {
    await ask({ query: QUERY });
    await ask({ extensions: { clientLibrary: { name: 'a client' } } });
    expect([byApollo.length, alone.length]).toEqual([1, 1]);
  });

  it.each<[string, Partial<AdmittedRequest>, GatewayContext?]>([
    ['another text', { query: `${QUERY} ` }],
    ['another operation of the text', { operationName: 'Other' }],
    [
      'another response type',
      { accepts: { json: 'application/graphql-response+json', stream: undefined, parts: false } },
    ],
    ['a GET', { method: 'GET' }],
    ['a caller without permission', {}, { forward: {}, identity: ANONYMOUS }],
  ])('runs through Apollo Server again with %s', async (_what, fields, context) => {
    await ask({ query: QUERY });
    await ask(fields, context);
    expect([byApollo.length, alone]).toEqual([2, []]);
  });

  it('runs through Apollo Server again if its name and text only together equal the earlier ones', async () => {
    await ask({ operationName: 'A', query: `#\n${QUERY}` });
    await ask({ operationName: 'A#\n', query: QUERY });
    expect([byApollo.length, alone]).toEqual([2, []]);
  });

  it('runs through Apollo Server again with variables that do not fit', async () => {
    await ask({ query: QUERY });
    result = undefined;
    await ask({ variables: { id: {} } });
    expect([byApollo.length, byApollo[1]?.executed]).toEqual([2, undefined]);
  });

  it.each([
    ['errors', { data: null, errors: [{ message: 'no' } as GraphQLError] }],
    ['a failure', new Error('no')],
  ])('lets Apollo Server present %s, without a second execution', async (_what, came) => {
    await ask({ query: QUERY });
    result = came;
    expect(await ask({ query: QUERY })).toMatchObject({ body: '{"data":"by Apollo"}' });
    expect([byApollo.length, alone.length, answered]).toEqual([2, 1, []]);
    const { executed } = byApollo[1] ?? {};
    if (came instanceof Error) await expect(executed).rejects.toBe(came);
    else expect(await executed).toBe(came);
  });

  it('runs through Apollo Server again after a change of the supergraph, even if it was in flight during the change', async () => {
    await ask({ query: QUERY });
    fastPath.clear();
    const asked = ask({ query: QUERY });
    fastPath.clear();
    await asked;
    await ask({ query: QUERY });
    expect([byApollo.length, alone]).toEqual([3, []]);
  });
});

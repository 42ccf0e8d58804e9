import { UNRESTRICTED } from '@gudang/auth';
import { startTracing } from '@gudang/runtime/tracing';
import { type OperationDefinitionNode, parse } from 'graphql';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { AdmittedRequest } from '../limits/admission.ts';
import { ACCEPTS_JSON } from '../requests/accepted-types.ts';
import { createOperationFastPath } from './operation-fast-path.ts';
import type { ReadyContext } from './query-executor.ts';
import type { RequestPipeline } from './request-pipeline.ts';
import { sampleOperations } from './sampled-operations.ts';

const CLIENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
const SAMPLED = /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/;

let tracing: Awaited<ReturnType<typeof startTracing>>;
/** The traceparent of each request that Apollo Server received, and of each on the fast path. */
let byApollo: (string | undefined)[];
let onFastPath: (string | undefined)[];
let pipeline: RequestPipeline;

beforeEach(async () => {
  // No receiver listens there.
  tracing = await startTracing('gateway', {
    JOURNEYS_URL: 'http://127.0.0.1:9',
    JOURNEYS_OF: 'createItem',
  });
  byApollo = [];
  onFastPath = [];
  const fastPath = createOperationFastPath({
    apollo: {
      answer: async ({ document, operation }, context) => {
        byApollo.push(context.forward['traceparent']);
        (context as ReadyContext).onReady?.({
          parsed: { document, operation },
          run: async (_variables, { forward }) => {
            onFastPath.push(forward['traceparent']);
            return { data: {} };
          },
        });
        return { status: 200, headers: [], body: '{"data":{}}' };
      },
    },
    requirementsOf: () => [],
    metrics: { answered: () => {} },
  });
  pipeline = sampleOperations(fastPath);
});
afterEach(() => tracing.stop());

async function ask(query: string, traceparent?: string): Promise<void> {
  const document = parse(query);
  const operation = document.definitions[0] as OperationDefinitionNode;
  const request = {
    query,
    document,
    operation,
    variables: {},
    method: 'POST',
    accepts: ACCEPTS_JSON,
  } as unknown as AdmittedRequest;
  const forward = traceparent ? { traceparent } : {};
  await pipeline.answer(request, { forward, identity: UNRESTRICTED });
}

it('traces a named mutation, on the fast path too', async () => {
  for (let n = 0; n < 3; n += 1) await ask('mutation { made: createItem(name: "a") { id } }');
  expect(byApollo).toEqual([expect.stringMatching(SAMPLED)]);
  expect(onFastPath).toEqual(Array(2).fill(expect.stringMatching(SAMPLED)));
  expect(new Set([...byApollo, ...onFastPath]).size).toBe(3);
});

it('keeps the trace id of the client', async () => {
  await ask('mutation { createItem(name: "a") { id } }', CLIENT);
  expect(byApollo[0]?.slice(0, 36)).toBe(CLIENT.slice(0, 36));
  expect(byApollo[0]).toMatch(SAMPLED);
});

it.each([
  'mutation { renameItem(name: "a") { id } }',
  'mutation { a: createItem(name: "a") { id } b: createItem(name: "b") { id } }',
  'mutation { ...on Mutation { createItem(name: "a") { id } } }',
  '{ createItem { id } }',
])('does not trace %s', async (query) => {
  await ask(query);
  await ask(query, CLIENT);
  expect([...byApollo, ...onFastPath]).toEqual([undefined, CLIENT]);
});

it('traces 10 mutations of a burst, and answers all of them', async () => {
  for (let n = 0; n < 50; n += 1) await ask('mutation { createItem(name: "a") { id } }');
  expect(onFastPath).toHaveLength(49);
  const sampled = [...byApollo, ...onFastPath].filter((one) => one !== undefined);
  expect(sampled.length).toBeGreaterThanOrEqual(10);
  expect(sampled.length).toBeLessThan(15);
});

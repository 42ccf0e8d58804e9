import { createMetrics } from '@gudang/runtime';
import { GraphQLError, getOperationAST, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { GatewayContext } from '../context.ts';
import type { AdmittedRequest } from '../limits/admission.ts';
import { createInvalidation } from '../request-deduplication/invalidation.ts';
import { createRequestDeduplication } from '../request-pipeline/request-deduplication.ts';
import { ACCEPTS_JSON, ACCEPTS_PARTS } from '../requests/accepted-types.ts';
import { createTestBudget } from '../testing/test-budget.ts';
import { AnswerParts } from './answer-parts.ts';

const present = (errors: readonly GraphQLError[]) => errors.map((error) => error.toJSON());
const item = (data: Record<string, unknown>) => ({
  label: 'a',
  path: ['x', 0],
  data,
  errors: undefined,
});

async function readAll(parts: Pick<AnswerParts, 'read'>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const text of parts.read()) all.push(JSON.parse(text));
  return all;
}

describe('the parts of an answer', () => {
  it('are read from the first one by each request, also by late ones', async () => {
    const parts = new AnswerParts({ present, maxBytes: 1_000 });
    const early = readAll(parts);
    parts.add([item({ y: 1 })], true);
    const during = readAll(parts);
    parts.add([], false);
    const expected = [
      { incremental: [{ data: { y: 1 }, path: ['x', 0], label: 'a' }], hasNext: true },
      { hasNext: false },
    ];
    expect(await Promise.all([early, during, readAll(parts)])).toEqual([
      expected,
      expected,
      expected,
    ]);
    await parts.ended;
  });

  it('have an error in place of data above the size limit', async () => {
    const parts = new AnswerParts({ present, maxBytes: 300 });
    parts.add([item({ text: 'a'.repeat(100) })], true);
    parts.add([item({ text: 'a'.repeat(200) }), item({ text: '' })], false);
    const [, second] = await readAll(parts);
    const refused = { data: null, errors: [{ extensions: { code: 'LIMIT_EXCEEDED' } }] };
    expect(second).toMatchObject({ incremental: [refused, refused], hasNext: false });
  });

  it('present their errors', async () => {
    const parts = new AnswerParts({ present, maxBytes: 1_000 });
    const errors = [new GraphQLError('no', { path: ['x', 0, 'y'] })];
    parts.add([{ label: undefined, path: ['x', 0], data: null, errors }], false);
    expect(await readAll(parts)).toEqual([
      {
        incremental: [
          { data: null, path: ['x', 0], errors: [{ message: 'no', path: ['x', 0, 'y'] }] },
        ],
        hasNext: false,
      },
    ]);
  });
});

const DEFERRED = '{ a ... @defer { b } }';
const asked = (fields: Partial<AdmittedRequest> = {}): AdmittedRequest => {
  const { query = DEFERRED } = fields;
  const document = parse(query);
  return {
    query,
    document,
    operation: getOperationAST(document),
    variables: {},
    principal: { identity: { unrestricted: true } },
    accepts: ACCEPTS_PARTS,
    method: 'POST',
    ...fields,
  } as never;
};
const CONTEXT = { forward: {}, identity: { unrestricted: true } } as never as GatewayContext;

/** Deduplicates requests whose executions have a first part at once, and end when the test says so. */
function createRequests() {
  const executions: GatewayContext[] = [];
  const turns = { open: 0 };
  const requests = createRequestDeduplication({
    invalidation: createInvalidation(),
    pipeline: {
      answer: async (_request, context) => {
        executions.push(context);
        context.parts?.begin();
        return { status: 200, headers: [], body: '{"data":{"a":1}}' };
      },
    },
    answers: { maxBytes: 10_000, memory: createTestBudget() },
    costly: {
      run: async (_caller, work) => {
        turns.open += 1;
        try {
          return await work();
        } finally {
          turns.open -= 1;
        }
      },
    },
    present,
    metrics: createMetrics('test'),
  });
  return { executions, turns, requests };
}

const NEVER = () => {};

describe('requests with @defer', () => {
  it('share one execution and all of its parts', async () => {
    const { executions, requests } = createRequests();
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => requests.answer(asked(), CONTEXT, NEVER)),
    );
    expect(executions).toHaveLength(1);
    executions[0]?.parts?.add([item({ b: 2 })], false);
    for (const { body, parts } of answers) {
      expect(JSON.parse(body)).toEqual({ data: { a: 1 }, hasNext: true });
      expect(parts && (await readAll(parts))).toMatchObject([{ hasNext: false }]);
    }
  });

  it('are not shared with requests that are answered as a whole', async () => {
    const { executions, requests } = createRequests();
    const [inParts, whole, other] = await Promise.all([
      requests.answer(asked(), CONTEXT, NEVER),
      requests.answer(asked({ accepts: ACCEPTS_JSON }), CONTEXT, NEVER),
      requests.answer(asked({ query: '{ a }' }), CONTEXT, NEVER),
    ]);
    expect(executions.map(({ parts }) => parts !== undefined)).toEqual([true, false, false]);
    expect(inParts?.parts).toBeDefined();
    expect(whole).toMatchObject({ body: '{"data":{"a":1}}' });
    expect([whole?.parts, other?.parts]).toEqual([undefined, undefined]);
  });

  it('abort their execution when the last client leaves between two parts', async () => {
    const { executions, requests } = createRequests();
    const leave: (() => void)[] = [];
    const onAbort = (listener: () => void) => void leave.push(listener);
    await Promise.all([
      requests.answer(asked(), CONTEXT, onAbort),
      requests.answer(asked(), CONTEXT, onAbort),
    ]);
    leave[0]?.();
    expect(executions[0]?.signal?.aborted).toBe(false);
    leave[1]?.();
    expect(executions[0]?.signal?.aborted).toBe(true);
  });

  it('keep the turn of a costly operation until the last part', async () => {
    const { executions, turns, requests } = createRequests();
    const { parts } = await requests.answer(asked({ isCostly: true }), CONTEXT, NEVER);
    expect(turns.open).toBe(1);
    executions[0]?.parts?.add([], false);
    await parts?.ended;
    await new Promise((resolve) => setImmediate(resolve));
    expect(turns.open).toBe(0);
  });
});

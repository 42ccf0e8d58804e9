import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Values } from '../../plan-execution/plan-executor.ts';
import type { SubgraphAnswer } from '../../subgraphs/subgraph-answer.ts';
import { EntityBatch } from './entity-batch.ts';

/** The result of a subgraph for an entity. */
type Kind = 'ok' | 'null' | 'error' | 'nullAndError';
const KINDS: readonly Kind[] = ['ok', 'null', 'error', 'nullAndError'];
interface Entity {
  readonly id: number;
  readonly kind: Kind;
}

/** Answers like a subgraph: each entity and error depends only on its representation. */
function answer({ representations }: Values): SubgraphAnswer {
  const all = representations as readonly Entity[];
  const isNull = ({ kind }: Entity): boolean => kind.startsWith('null');
  const errors = all.flatMap(({ id, kind }, index) =>
    kind === 'error' || kind === 'nullAndError'
      ? [{ message: `no ${id}`, path: ['_entities', index, 'part'] }]
      : [],
  );
  return {
    data: { _entities: all.map((one) => (isNull(one) ? null : { value: one.id * 2 })) },
    ...(errors.length > 0 ? { errors } : {}),
  };
}

/** Ways in which a subgraph fails a request for several entities. */
const FAILURES: Readonly<Record<string, (right: SubgraphAnswer) => SubgraphAnswer>> = {
  'no data': () => ({ data: null, errors: [{ message: 'the answer is too large' }] }),
  'an error without a path': (right) => ({ ...right, errors: [{ message: 'too many errors' }] }),
  'an error at another field': (right) => ({
    ...right,
    errors: [{ message: 'odd', path: ['other', 0] }],
  }),
  'an error at an unknown entity': (right) => ({
    ...right,
    errors: [{ message: 'odd', path: ['_entities', 1_000] }],
  }),
  'one entity less': ({ data }) => ({
    data: { _entities: ((data?.['_entities'] ?? []) as unknown[]).slice(1) },
  }),
};

const calls = fc.array(
  fc.array(fc.record({ id: fc.nat(9), kind: fc.constantFrom(...KINDS) }), {
    minLength: 1,
    maxLength: 4,
  }),
  { minLength: 1, maxLength: 16 },
);

/** Sends a request for each call. @returns the answers, and the numbers of entities of each request */
async function fetchAll(
  given: readonly (readonly Entity[])[],
  send: (variables: Values) => SubgraphAnswer,
) {
  const batch = new EntityBatch();
  const sent: number[] = [];
  const answers = await Promise.all(
    given.map((representations) =>
      batch.fetch('key', { size: 1, representations }, async (variables) => {
        expect(variables['size']).toBe(1);
        sent.push((variables['representations'] as unknown[]).length);
        return send(variables);
      }),
    ),
  );
  return { answers, sent };
}

describe('requests of several events for entities', () => {
  it('are not joined if their other variables differ', async () => {
    const given = [{ of: 'a' }, { of: 'b' }, { of: 'a' }, { of: 'a', more: 1 }];
    const sent: Values[] = [];
    const batch = new EntityBatch();
    await Promise.all(
      given.map((values, id) =>
        batch.fetch('key', { ...values, representations: [{ id, kind: 'ok' }] }, async (used) => {
          sent.push({ ...used, representations: (used['representations'] as unknown[]).length });
          return answer(used);
        }),
      ),
    );
    expect(sent).toHaveLength(3);
    expect(sent).toContainEqual({ of: 'a', representations: 2 });
    expect(sent).toContainEqual({ of: 'b', representations: 1 });
    expect(sent).toContainEqual({ of: 'a', more: 1, representations: 1 });
  });

  it('are sent as one, and answered as if each were sent alone', async () => {
    await fc.assert(
      fc.asyncProperty(calls, async (given) => {
        const { answers, sent } = await fetchAll(given, answer);
        expect(answers).toEqual(given.map((representations) => answer({ representations })));
        expect(sent).toEqual([given.flat().length]);
      }),
    );
  });

  it.each(Object.entries(FAILURES))('are sent alone, in order, after %s', async (_name, fail) => {
    await fc.assert(
      fc.asyncProperty(calls, async (given) => {
        const limit = Math.max(...given.map(({ length }) => length));
        const { answers, sent } = await fetchAll(given, (variables) => {
          const isJoined = (variables['representations'] as unknown[]).length > limit;
          return isJoined ? fail(answer(variables)) : answer(variables);
        });
        expect(answers).toEqual(given.map((representations) => answer({ representations })));
        const total = given.flat().length;
        if (total > limit) expect(sent).toEqual([total, ...given.map(({ length }) => length)]);
      }),
    );
  });

  it('are not joined with requests of other operations, or without entities', async () => {
    const batch = new EntityBatch();
    const sent: Values[] = [];
    const send = async (variables: Values): Promise<SubgraphAnswer> => {
      sent.push(variables);
      return 'representations' in variables ? answer(variables) : { data: { a: 1 } };
    };
    const one = { representations: [{ id: 1, kind: 'ok' }] };
    const answers = await Promise.all([
      batch.fetch('a', one, send),
      batch.fetch('b', one, send),
      batch.fetch('c', {}, send),
      batch.fetch('c', {}, send),
    ]);
    expect(sent).toHaveLength(4);
    expect(answers).toEqual([answer(one), answer(one), { data: { a: 1 } }, { data: { a: 1 } }]);
  });

  it('are joined again after an answer', async () => {
    const batch = new EntityBatch();
    let sent = 0;
    const fetchTwice = async (id: number): Promise<void> => {
      for (let step = 0; step < 2; step += 1) {
        await batch.fetch('key', { representations: [{ id, kind: 'ok' }] }, async (variables) => {
          sent += 1;
          return answer(variables);
        });
      }
    };
    await Promise.all([1, 2, 3].map(fetchTwice));
    expect(sent).toBe(2);
  });
});

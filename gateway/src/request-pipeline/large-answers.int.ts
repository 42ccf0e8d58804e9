import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startTestGateway, type TestGateway } from '../testing/running-gateway.ts';
import { composeToys, startToyGraph } from '../testing/toy-graph.ts';

const KIB = 1024;
let toys: Awaited<ReturnType<typeof startToyGraph>>;
let gateway: TestGateway;

beforeAll(async () => {
  toys = await startToyGraph();
  gateway = await startTestGateway(composeToys(toys.items.url, toys.ratings.url));
});
afterAll(async () => {
  await gateway.stop();
  await toys.stop();
});

/**
 * Sends a query for an item's name. @returns the number of iterations of the event loop between the parsing
 * of the subgraph's answer and the serialization of the result
 */
async function iterationsOf(query: string, name: string): Promise<number> {
  let iteration = 0;
  const seen = { parsed: 0, serialized: 0 };
  const { parse, stringify } = JSON;
  const spies = [
    vi.spyOn(JSON, 'parse').mockImplementation((text, ...rest) => {
      if (seen.parsed === 0 && String(text).includes(name)) seen.parsed = iteration;
      return parse(text, ...rest);
    }),
    vi.spyOn(JSON, 'stringify').mockImplementation((value, ...rest) => {
      const answered = value?.data?.item?.name === name && !value.extensions;
      if (answered && seen.parsed > 0) seen.serialized = iteration;
      return stringify(value, ...(rest as []));
    }),
  ];
  let next = setImmediate(function tick() {
    iteration += 1;
    next = setImmediate(tick);
  });
  toys.rename('1', name);
  const { data } = await gateway.post({ query });
  clearImmediate(next);
  for (const spy of spies) spy.mockRestore();
  expect(data?.['item']).toEqual({ name });
  return seen.serialized - seen.parsed;
}

it.each([
  ['by Apollo Server', '{ item(id: "1") { name } }'],
  ['by the fast path', '{ item(id: "1") { name } }'],
])(
  'lets other requests be answered between two steps of a large answer, %s',
  async (_by, query) => {
    expect(await iterationsOf(query, 'x'.repeat(300 * KIB))).toBe(2);
  },
);

it('handles a small answer in one iteration', async () => {
  expect(await iterationsOf('{ item(id: "1") { name } }', 'small')).toBe(0);
});

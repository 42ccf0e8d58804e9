import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JourneyStore } from './journey-store.ts';
import { createJourneys, ENTRIES } from './order-journey.ts';
import type { ReceivedSpan } from './read-spans.ts';

const ARRIVAL = Date.parse('2026-11-28T03:40:12.345Z');

type SpanOf = (
  id: string,
  name: string,
  parent: string | undefined,
  from: number,
  to: number,
) => ReceivedSpan;

/** Returns a function that creates spans of a trace. Times are in milliseconds since the request arrived. */
const inTrace =
  (traceId: string, orderId: string): SpanOf =>
  (id, name, parent, from, to) => ({
    traceId,
    spanId: `${orderId}-${id}`,
    parentSpanId: parent && `${orderId}-${parent}`,
    name,
    from: ARRIVAL + from,
    to: ARRIVAL + to,
    hasFailed: false,
    orderId: /^(store|consume)/.test(name) ? orderId : undefined,
  });

/** The spans of an order with two subscribed streams, as the services send them. */
function spansOfOrder(traceId = 't', orderId = 'o', entry = 'createOrder'): ReceivedSpan[] {
  const span = inTrace(traceId, orderId);
  return [
    span('1', entry, undefined, 0, 5),
    span('2', 'request order', '1', 0.5, 4.8),
    span('3', 'graphql', '2', 1, 4.5),
    span('4', 'store order', '3', 1.2, 4.2),
    span('5', 'outbox order_created', '3', 2, 9),
    span('6', 'outbox order_changed', '3', 2, 9),
    span('7', 'feed order_changed', '6', 9.5, 9.5),
    span('8', 'push order', '7', 9.8, 10),
    span('9', 'consume order_created', '5', 10, 16),
    span('10', 'outbox stock_changed', '9', 12, 18),
    span('11', 'feed stock_changed', '10', 18.5, 18.5),
    span('12', 'push stock', '11', 18.6, 19),
    span('13', 'outbox order_decided', '9', 12, 18),
    span('14', 'consume order_decided', '13', 18.5, 24.5),
    span('15', 'outbox order_changed', '14', 20, 25),
    span('16', 'feed order_changed', '15', 25.2, 25.2),
    span('17', 'push order', '16', 25.3, 26.04),
  ];
}

const WHOLE = {
  id: 'o',
  at: '2026-11-28T03:40:12.345Z',
  settled: true,
  steps: [
    { name: 'accepted', from: 0, to: 1.2 },
    { name: 'stored', from: 1.2, to: 4.2 },
    { name: 'sent', from: 4.2, to: 9 },
    { name: 'decided', from: 9, to: 16 },
    { name: 'settled', from: 16, to: 24.5 },
    { name: 'pushed', from: 24.5, to: 26 },
  ],
};

const without = (...ids: string[]): ReceivedSpan[] =>
  spansOfOrder().filter(({ spanId }) => !ids.includes(spanId.slice(2)));
const namesOf = (spans: readonly ReceivedSpan[]) =>
  createJourneys(spans).map(({ steps }) => steps.map(({ name }) => name));

describe('createJourneys', () => {
  it.each(ENTRIES)('builds the journey of an order by %s', (entry) => {
    expect(createJourneys(spansOfOrder('t', 'o', entry))).toEqual([WHOLE]);
  });

  it('contains the steps so far', () => {
    const spans = spansOfOrder().filter(({ to }) => to <= ARRIVAL + 10);
    const [journey] = createJourneys(spans);
    expect(journey).toMatchObject({ settled: false, steps: WHOLE.steps.slice(0, 3) });
    expect(createJourneys(without('4'))).toEqual([]);
    expect(createJourneys(without('1'))).toEqual([]);
  });

  it('does not take the push of the new order for the push of its decision', () => {
    expect(namesOf(without('12', '17'))).toEqual([
      ['accepted', 'stored', 'sent', 'decided', 'settled'],
    ]);
  });

  it('shows the push of the stock, after the decision, if no stream of orders is subscribed', () => {
    const [journey] = createJourneys(without('8', '17'));
    expect(journey?.steps.slice(-3)).toEqual([
      { name: 'decided', from: 9, to: 16 },
      { name: 'pushed', from: 16, to: 19 },
      { name: 'settled', from: 16, to: 24.5 },
    ]);
    expect(namesOf(without('8', '14', '17'))).toEqual([['accepted', 'stored', 'sent', 'decided']]);
  });

  it('ends the step `sent` when the stock service has the event, if the acknowledgement is later', () => {
    const late = spansOfOrder().map((span) =>
      span.name === 'outbox order_created' ? { ...span, to: ARRIVAL + 15 } : span,
    );
    const [journey] = createJourneys(late);
    expect(journey?.steps.slice(2, 4)).toEqual([
      { name: 'sent', from: 4.2, to: 10 },
      { name: 'decided', from: 10, to: 16 },
    ]);
  });

  it('ignores a failed attempt, and a delivery that repeats an applied record', () => {
    const span = inTrace('t', 'o');
    const failed = { ...span('18', 'consume order_created', '5', 9.5, 11), hasFailed: true };
    const again = span('19', 'consume order_created', '5', 90, 95);
    expect(createJourneys([again, failed, ...spansOfOrder()])).toEqual([WHOLE]);
  });

  it('separates the orders of one trace', () => {
    const later = spansOfOrder('t', 'p').map((span) => ({
      ...span,
      from: span.from + 100,
      to: span.to + 100,
    }));
    const found = createJourneys([...spansOfOrder(), ...later]);
    expect(found).toEqual([WHOLE, { ...WHOLE, id: 'p', at: '2026-11-28T03:40:12.445Z' }]);
  });

  it('has ordered steps that begin where an earlier one ends, also if the clocks differ', () => {
    const spans = spansOfOrder();
    const changed = fc.record({
      kept: fc.shuffledSubarray(spans),
      moved: fc.constantFrom(...spans.map(({ name }) => name)),
      by: fc.integer({ min: -50, max: 50 }),
    });
    fc.assert(
      fc.property(changed, ({ kept, moved, by }) => {
        const skewed = kept.map((span) =>
          span.name === moved ? { ...span, from: span.from + by, to: span.to + by } : span,
        );
        for (const { steps, settled } of createJourneys(skewed)) {
          expect(steps[0]?.from).toBe(0);
          const ends = new Set([0, ...steps.map(({ to }) => to)]);
          for (const [index, { from, to }] of steps.entries()) {
            expect(to).toBeGreaterThanOrEqual(from);
            expect(to).toBeGreaterThanOrEqual(steps[index - 1]?.to ?? 0);
            expect(ends).toContain(from);
          }
          const names: string[] = steps.map(({ name }) => name);
          expect(new Set(names).size).toBe(names.length);
          expect(settled).toBe(names.includes('settled'));
        }
      }),
    );
  });
});

describe('JourneyStore', () => {
  it('gives the same journeys for every order in which spans arrive', () => {
    const all = ['a', 'b', 'c'].flatMap((id) => spansOfOrder(id, id));
    fc.assert(
      fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (spans) => {
        const store = new JourneyStore();
        for (const span of spans) store.add([span]);
        const journeys = [...store.newest().journeys].sort((one, other) =>
          one.id < other.id ? -1 : 1,
        );
        expect(journeys).toEqual(['a', 'b', 'c'].map((id) => ({ ...WHOLE, id })));
      }),
      { numRuns: 50 },
    );
  });

  it('lists the 20 newest orders, each once', () => {
    const store = new JourneyStore();
    for (let n = 0; n < 30; n += 1) {
      store.add(
        spansOfOrder(`${n}`, `o${n}`).map((span) => ({
          ...span,
          from: span.from + n,
          to: span.to + n,
        })),
      );
    }
    store.add(spansOfOrder('repeat', 'o29').slice(0, 4));
    const { steps, journeys } = store.newest();
    expect(steps).toEqual(WHOLE.steps.map(({ name }) => name));
    expect(journeys.map(({ id }) => id)).toEqual(
      Array.from({ length: 20 }, (_, n) => `o${29 - n}`),
    );
    expect(journeys.every(({ settled }) => settled)).toBe(true);
  });

  it('drops the oldest traces above 10,000 spans, and the spans of a trace above 200', () => {
    const store = new JourneyStore();
    const span = inTrace('first', 'first');
    store.add(spansOfOrder('first', 'first'));
    store.add(Array.from({ length: 500 }, (_, n) => span(`${n}`, 'other', undefined, 1, 2)));
    for (let n = 0; n < 560; n += 1) store.add(spansOfOrder(`${n}`, `${n}`));
    expect(store.newest().journeys.map(({ id }) => id)).toContain('first');
    for (let n = 560; n < 600; n += 1) store.add(spansOfOrder(`${n}`, `${n}`));
    expect(store.newest().journeys.map(({ id }) => id)).not.toContain('first');
  });

  it('keeps one push of a change, however many streams push it', () => {
    const store = new JourneyStore();
    const span = inTrace('t', 'o');
    const pushes = (parent: string) =>
      Array.from({ length: 1_000 }, (_, n) => span(`${parent}-${n}`, 'push order', parent, 30, 31));
    store.add(pushes('7'));
    store.add([...spansOfOrder(), ...pushes('16')]);
    expect(store.newest().journeys).toEqual([WHOLE]);
  });
});

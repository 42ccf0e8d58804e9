import { describe, expect, it } from 'vitest';
import { parseTraceparent, readTraceContext } from './trace-context.ts';

const CAUSE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

it('ignores a header that is not a traceparent', () => {
  expect(parseTraceparent(CAUSE)).toBe(CAUSE);
  for (const header of [
    undefined,
    '',
    [CAUSE],
    `${CAUSE}\u0000`,
    `${CAUSE}-more`,
    CAUSE.toUpperCase(),
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
  ]) {
    expect(parseTraceparent(header)).toBeUndefined();
  }
});

describe('readTraceContext', () => {
  const stateOf = (tracestate: string, traceparent = CAUSE) =>
    readTraceContext({ traceparent, tracestate })['tracestate'];

  it('keeps a valid tracestate', () => {
    const members = Array.from({ length: 32 }, (_, n) => `k${n}=v`).join(',');
    for (const state of ['rojo=00f067aa0ba902b7', 'a@b=x y, c=d', members]) {
      expect(stateOf(state)).toBe(state);
    }
    expect(stateOf(`a=${'x'.repeat(250)},b=${'x'.repeat(250)}`)).toHaveLength(505);
  });

  it.each([
    ['above 512 characters', `a=${'x'.repeat(250)},b=${'x'.repeat(250)},c=123456789`],
    ['of 33 members', Array.from({ length: 33 }, (_, n) => `k${n}=v`).join(',')],
    ['with a character outside ASCII', 'a=\u00e9'],
    ['without a value', 'a='],
    ['of a request without a valid traceparent', 'a=b', 'nonsense'],
  ])('drops a tracestate %s', (_what, state, parent = CAUSE) => {
    expect(stateOf(state, parent)).toBeUndefined();
  });
});

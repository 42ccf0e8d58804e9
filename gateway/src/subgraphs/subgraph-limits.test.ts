import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitsOf, namesOf, subgraphLimits } from './subgraph-limits.ts';

const parse = (value: string) => subgraphLimits.parse(value);
const problem = (value: string) => subgraphLimits.safeParse(value).error?.issues[0]?.message;

const DEFAULTS = {
  timeoutMs: 7_000,
  retries: 1,
  sockets: 64,
  queue: 2_000,
  breaker: { failures: 5, share: 0.5, windowMs: 5_000, pauseMs: 1_000 },
};

describe('SUBGRAPH_LIMITS', () => {
  it('leaves the defaults if it is empty', () => {
    expect(limitsOf('reviews', parse(''), 7_000)).toEqual(DEFAULTS);
  });

  it('prefers the limits of a subgraph to those of all subgraphs', () => {
    const given = parse(
      ' Reviews : timeoutMs=800, sockets=16 ; *:timeoutMs=900,queue=0,breakerPercent=20;',
    );
    expect(namesOf(given)).toEqual(['Reviews']);
    expect(limitsOf('reviews', given, 7_000)).toEqual({
      ...DEFAULTS,
      timeoutMs: 800,
      sockets: 16,
      queue: 0,
      breaker: { ...DEFAULTS.breaker, share: 0.2 },
    });
    expect(limitsOf('other', given, 7_000)).toMatchObject({ timeoutMs: 900, sockets: 64 });
  });

  it.each([
    ['reviews', /^name:limit=number/],
    ['reviews:', /^name:limit=number/],
    ['reviews:timeoutMs', /^timeoutMs of reviews is not a limit: .* timeoutMs \(10 to 300000\)/],
    ['reviews:timeout=5', /^timeout=5 of reviews is not a limit: /],
    ['reviews:constructor=5', /^constructor=5 of reviews is not a limit: /],
    ['reviews:sockets=0', /^sockets=0 of reviews is not from 1 to 1024: /],
    ['reviews:sockets=-1', /is not a limit: /],
    ['reviews:retries=6', /^retries=6 of reviews is not from 0 to 5: /],
    ['*:breakerPercent=101', /^breakerPercent=101 of \* is not from 1 to 100: /],
    ['a:queue=1;a:queue=2', /^a is given twice; allowed: name:/],
    ['a*:queue=1', /^name:limit=number/],
    ['a:queue=1,', /is not a limit: /],
  ])('rejects %s with a message that says what is allowed', (value, message) => {
    expect(problem(value)).toMatch(message);
  });

  it('accepts or explains every text', () => {
    const text = fc.stringMatching(/^[ab*:;=,0-9 queretis_%-]{0,40}$/);
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (value) => {
        const parsed = subgraphLimits.safeParse(value);
        expect(parsed.success || parsed.error.issues[0]?.message).toBeTruthy();
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { badRequest } from '../errors/request-error.ts';
import { createGuardedConnection, type GuardedConnection } from './guarded-connection.ts';
import { AbortedError, RefusedError, TimeoutError } from './http-request.ts';
import type { SharedAnswer } from './subgraph-answer.ts';
import { BreakerOpenError, InvalidAnswerError, QueueFullError } from './subgraph-failure.ts';

const OPTIONS = { ms: 1_000, count: () => undefined };
const BREAKER = { failures: 3, share: 0.5, windowMs: 5_000, pauseMs: 500 };
const ANSWER: SharedAnswer = Object.assign(() => ({ data: {} }), {
  hasErrors: false,
  hasFailed: false,
  isOutage: false,
  bytes: 2,
});
const CLOSED = Object.assign(new Error(), { code: 'UND_ERR_SOCKET' });
const UNREACHABLE = Object.assign(new Error(), { code: 'ECONNREFUSED' });
const OUTAGE = new InvalidAnswerError(503, 'no JSON');

/** Time-outs of the attempts that were sent, in milliseconds. */
let sent: number[];
let outcomes: (SharedAnswer | Error)[];
let probe: SharedAnswer | Error;
let probes: number;
let counts: { retried: number; refused: number; opened: number };
beforeEach(() => {
  vi.useFakeTimers();
  sent = [];
  outcomes = [];
  probe = ANSWER;
  probes = 0;
  counts = { retried: 0, refused: 0, opened: 0 };
});
afterEach(() => {
  vi.useRealTimers();
});

const settle = async (outcome: SharedAnswer | Error): Promise<SharedAnswer> => {
  if (outcome instanceof Error) throw outcome;
  return outcome;
};

const counted = (event: keyof typeof counts): void => {
  counts[event] += 1;
};

function guard(retries = 0, failures = BREAKER.failures): GuardedConnection {
  const post = ((_body, _headers, { ms }) => {
    sent.push(ms);
    return settle(outcomes.shift() ?? ANSWER);
  }) satisfies Parameters<typeof createGuardedConnection>[0]['post'];
  return createGuardedConnection(
    { post },
    () => {
      probes += 1;
      return settle(probe);
    },
    {
      name: 'items',
      limits: { retries, breaker: { ...BREAKER, failures } },
      events: {
        onRetry: () => counted('retried'),
        onRefused: () => counted('refused'),
        onOpened: () => counted('opened'),
      },
      log: { info: () => {}, warn: () => {} },
    },
  );
}

/** Sends a request. @returns what it ended with */
async function send({ post }: GuardedConnection, isMutation = false) {
  const ended = post('{}', {}, OPTIONS, isMutation).catch((error: Error) => error);
  await vi.advanceTimersByTimeAsync(400);
  return ended;
}

describe('retries of a guarded connection', () => {
  it.each([
    ['a closed connection', CLOSED],
    ['a refused connection', UNREACHABLE],
    ['an answer of a proxy', OUTAGE],
  ])('follow %s, within the time-out of the first attempt', async (_what, failure) => {
    outcomes = [failure, failure];
    expect(await send(guard(2, 0))).toBe(ANSWER);
    expect(sent).toHaveLength(3);
    expect(sent[0]).toBe(OPTIONS.ms);
    expect(sent[2]).toBeLessThan(OPTIONS.ms);
    expect(counts.retried).toBe(2);
  });

  it.each([
    ['a time-out', new TimeoutError()],
    ['a full queue', new QueueFullError()],
    ['a client that has left', new AbortedError()],
    ['an answer that is not GraphQL', new InvalidAnswerError(200, 'no JSON')],
    ['an answer that is too large', new RefusedError(badRequest('too large'))],
  ])('do not follow %s', async (_what, failure) => {
    outcomes = [failure];
    expect(await send(guard(2, 0))).toBe(failure);
    expect(sent).toHaveLength(1);
  });

  it('never repeat a mutation', async () => {
    for (const failure of [CLOSED, UNREACHABLE, OUTAGE]) {
      outcomes = [failure];
      expect(await send(guard(2, 0), true)).toBe(failure);
    }
    expect(sent).toHaveLength(3);
  });

  it('end at their number, and when the time is over', async () => {
    outcomes = [CLOSED, CLOSED, CLOSED];
    expect(await send(guard(1, 0))).toBe(CLOSED);
    expect(sent).toHaveLength(2);
    sent = [];
    const { post } = guard(5, 0);
    outcomes = [UNREACHABLE, UNREACHABLE];
    await expect(post('{}', {}, { ...OPTIONS, ms: 20 }, false)).rejects.toBe(UNREACHABLE);
    expect(sent).toEqual([20]);
  });

  it('end when the breaker opens', async () => {
    const guarded = guard(5, 1);
    outcomes = [UNREACHABLE, new TimeoutError(), UNREACHABLE];
    const first = send(guarded);
    await guarded.post('{}', {}, OPTIONS, false).catch(() => {});
    await first;
    expect(sent).toHaveLength(3);
    expect(guarded.state()).toBe('open');
  });
});

describe('the breaker of a guarded connection', () => {
  it.each([
    ['time-outs', new TimeoutError()],
    ['lost connections', CLOSED],
    ['answers that are not GraphQL', new InvalidAnswerError(200, 'no JSON')],
    ['GraphQL answers with the status 503', { ...ANSWER, isOutage: true } as SharedAnswer],
  ])('opens for %s, of mutations as well', async (_what, failure) => {
    const guarded = guard();
    outcomes = [failure, failure, failure];
    for (const isMutation of [false, true, false]) await send(guarded, isMutation);
    expect(guarded.state()).toBe('open');
    expect(counts.opened).toBe(1);
    expect(await send(guarded)).toBeInstanceOf(BreakerOpenError);
    expect(await send(guarded, true)).toBeInstanceOf(BreakerOpenError);
    expect(sent).toHaveLength(3);
    expect(counts.refused).toBe(2);
  });

  it.each([
    ['a status of 4xx', new InvalidAnswerError(413, 'no JSON')],
    ['an answer that is too large', new RefusedError(badRequest('too large'))],
    ['a client that has left', new AbortedError()],
    ['a full queue', new QueueFullError()],
  ])('does not open for %s', async (_what, failure) => {
    const guarded = guard(0, 1);
    outcomes = [failure];
    await send(guarded);
    expect(guarded.state()).toBe('closed');
  });

  it('closes when a query is answered after the pause', async () => {
    const guarded = guard(0, 1);
    outcomes = [OUTAGE];
    await send(guarded);
    await vi.advanceTimersByTimeAsync(BREAKER.pauseMs);
    expect(guarded.state()).toBe('half-open');
    expect(await send(guarded)).toBe(ANSWER);
    expect(guarded.state()).toBe('closed');
    expect(probes).toBe(0);
  });

  it('sends a query of its own if only mutations come, and no mutation until it is answered', async () => {
    const guarded = guard(0, 1);
    outcomes = [OUTAGE];
    probe = OUTAGE;
    await send(guarded);
    await vi.advanceTimersByTimeAsync(BREAKER.pauseMs);
    expect(await send(guarded, true)).toBeInstanceOf(BreakerOpenError);
    expect(guarded.state()).toBe('open');
    await vi.advanceTimersByTimeAsync(BREAKER.pauseMs);
    probe = ANSWER;
    expect(await send(guarded, true)).toBeInstanceOf(BreakerOpenError);
    expect(probes).toBe(2);
    expect(sent).toHaveLength(1);
    expect(await send(guarded, true)).toBe(ANSWER);
  });

  it('closes by queries of its own if no client comes', async () => {
    const guarded = guard(0, 1);
    outcomes = [OUTAGE];
    probe = OUTAGE;
    await send(guarded);
    await vi.advanceTimersByTimeAsync(BREAKER.pauseMs * 2);
    expect([guarded.state(), probes]).toEqual(['open', 1]);
    probe = ANSWER;
    await vi.advanceTimersByTimeAsync(BREAKER.pauseMs * 10);
    expect([guarded.state(), probes]).toEqual(['closed', 2]);
  });
});

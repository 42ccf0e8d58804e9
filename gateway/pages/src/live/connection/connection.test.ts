import { describe, expect, it } from 'vitest';
import { type Connection, INITIAL, labelOf, noticeOf } from './connection.ts';

const live: Connection = { ...INITIAL, state: 'live', wasLive: true, loaded: true };
const lost = { ...live, state: 'offline' } as const;

describe('labelOf', () => {
  it.each([
    ['Connecting…', INITIAL],
    ['Connecting…', { ...INITIAL, state: 'catching-up' }],
    ['Disconnected', { ...INITIAL, isUnreachable: true }],
    ['Partly live', { ...INITIAL, unavailable: ['stock'] }],
    ['Loading…', { ...live, loaded: false }],
    ['Live', live],
    ['Disconnected', lost],
    ['Disconnected', { ...live, state: 'connecting' }],
    ['Catching up…', { ...live, state: 'catching-up' }],
    ['Partly live', { ...live, unavailable: ['order'] }],
    ['Partly live', { ...live, isKafkaUnavailable: true }],
  ] as const)('returns %s', (label, connection) => {
    expect(labelOf(connection)).toBe(label);
  });
});

describe('noticeOf', () => {
  it('returns undefined if there is no problem', () => {
    expect(noticeOf(INITIAL)).toBeUndefined();
    expect(noticeOf(live)).toBeUndefined();
  });

  it('gives the time of the last update while the gateway is unavailable', () => {
    expect(noticeOf(lost)?.text).toContain('The last update was at');
    expect(noticeOf({ ...lost, loaded: false })?.text).toContain('Nothing is loaded yet');
  });

  it('reports an unavailable gateway instead of an unavailable service', () => {
    const both = { ...lost, unavailable: ['stock'], isKafkaUnavailable: true };
    expect(noticeOf(both)?.title).toBe('The gateway does not answer');
  });

  it('gives the reason if the gateway rejects the connection', () => {
    expect(noticeOf({ ...lost, rejection: 'Forbidden origin.' })?.text).toContain('Forbidden');
  });

  it('says what still works while a service or Kafka is unavailable', () => {
    expect(noticeOf({ ...live, unavailable: ['stock'] })?.text).toContain('Ordering still works');
    expect(noticeOf({ ...live, unavailable: ['order'] })?.text).toContain('Quantities stay live');
    expect(noticeOf({ ...live, unavailable: ['order', 'stock'] })?.tone).toBe('down');
    const kafka = noticeOf({ ...live, isKafkaUnavailable: true });
    expect(kafka?.title).toBe('Kafka is unavailable');
    expect(kafka?.text).toContain('orders are stored now and decided when Kafka is back');
  });

  it('says how many stocks changed while the page was disconnected', () => {
    expect(noticeOf({ ...live, caughtUp: 0 })?.text).toContain('No stock changed');
    expect(noticeOf({ ...live, caughtUp: 1 })?.text).toContain('1 stock changed');
    expect(noticeOf({ ...live, caughtUp: 7 })?.text).toContain('7 stocks changed');
  });

  it('asks users to sign in, in words without tokens and APIs', () => {
    const refused = { token: 'x', refusal: 'The token is invalid: it has expired', wanted: true };
    expect(noticeOf(live, refused)).toMatchObject({
      title: 'You are signed out',
      text: expect.stringContaining('Your sign-in has expired. Sign in again below.'),
    });
    expect(noticeOf(live, { wanted: true })?.title).toBe('You are not signed in');
    expect(noticeOf(lost, { wanted: true })?.title).toBe('The gateway does not answer');
    expect(noticeOf(live, { token: 'x', wanted: true })).toBeUndefined();
  });

  it('explains a graph without stocks', () => {
    expect(noticeOf({ ...live, foreign: true })?.title).toBe('This graph has no stocks');
  });
});

import { expect, test } from 'vitest';
import { AT_FIRST, type Connection, labelOf, noticeOf } from './connection.ts';

const live: Connection = { ...AT_FIRST, socket: 'open', loaded: true };

test('all well: nothing to say', () => {
  expect(labelOf(live)).toBe('Live');
  expect(noticeOf(live)).toBeUndefined();
});

test('the gateway away: what is seen is told to be old, if there is anything to see', () => {
  expect(noticeOf({ ...live, socket: 'lost' })?.text).toContain('as of');
  expect(noticeOf({ ...live, socket: 'lost', loaded: false })?.text).toContain('Nothing could be');
  // What was known of the services before says nothing now.
  const both = { ...live, socket: 'lost', unavailable: ['stock'] } as const;
  expect(noticeOf(both)?.title).toBe('The gateway does not answer');
});

test('a service away: what still works', () => {
  expect(noticeOf({ ...live, unavailable: ['stock'] })?.text).toContain('Ordering still works');
  expect(noticeOf({ ...live, unavailable: ['order'] })?.text).toContain('Quantities stay live');
  expect(noticeOf({ ...live, unavailable: ['order', 'stock'] })?.tone).toBe('down');
});

test('back again: how much was missed', () => {
  expect(noticeOf({ ...live, caughtUp: 0 })?.text).toContain('Nothing had changed');
  expect(noticeOf({ ...live, caughtUp: 1 })?.text).toContain('One stock had');
  expect(noticeOf({ ...live, caughtUp: 7 })?.text).toContain('7 stocks had');
});

test('a token that is not taken comes before all else; one that is missing, after', () => {
  const refused = { token: 'x', refusal: 'The token is refused: it has expired', wanted: true };
  const lost = { ...live, socket: 'lost' } as const;
  expect(noticeOf(lost, refused)?.text).toContain('it has expired. Nothing is asked with it again');
  expect(labelOf(live, refused)).toBe('Refused');
  expect(noticeOf(live, { wanted: true })?.title).toBe('Orders need a token');
  expect(noticeOf(lost, { wanted: true })?.title).toBe('The gateway does not answer');
  expect(noticeOf(live, { token: 'x', wanted: true })).toBeUndefined();
});

test('refused, with the reason; another graph', () => {
  const refused = { ...live, socket: 'refused', reason: 'Forbidden' } as const;
  expect(noticeOf(refused)?.text).toContain('Forbidden');
  expect(noticeOf({ ...live, foreign: true })?.title).toBe('This graph has no stocks');
});

import { describe, expect, it } from 'vitest';
import { type Connection, INITIAL, labelOf, noticeOf } from './connection.ts';

const live: Connection = { ...INITIAL, socket: 'open', loaded: true };
const lost = { ...live, socket: 'lost' } as const;

describe('noticeOf', () => {
  it('returns undefined if there is no problem', () => {
    expect(labelOf(live)).toBe('Live');
    expect(noticeOf(live)).toBeUndefined();
  });

  it('gives the time of the last update while the gateway is unavailable', () => {
    expect(noticeOf(lost)?.text).toContain('The last update was at');
    expect(noticeOf({ ...lost, loaded: false })?.text).toContain('Nothing is loaded yet');
  });

  it('reports an unavailable gateway instead of an unavailable service', () => {
    const both = { ...lost, unavailable: ['stock'] };
    expect(noticeOf(both)?.title).toBe('The gateway does not answer');
  });

  it('says what still works while a service is unavailable', () => {
    expect(noticeOf({ ...live, unavailable: ['stock'] })?.text).toContain('Ordering still works');
    expect(noticeOf({ ...live, unavailable: ['order'] })?.text).toContain('Quantities stay live');
    expect(noticeOf({ ...live, unavailable: ['order', 'stock'] })?.tone).toBe('down');
  });

  it('says how many stocks changed while the page was disconnected', () => {
    expect(noticeOf({ ...live, caughtUp: 0 })?.text).toContain('No stock changed');
    expect(noticeOf({ ...live, caughtUp: 1 })?.text).toContain('1 stock changed');
    expect(noticeOf({ ...live, caughtUp: 7 })?.text).toContain('7 stocks changed');
  });

  it('reports a refused token before other problems, and a missing token after them', () => {
    const refused = { token: 'x', refusal: 'The token is refused: it has expired', wanted: true };
    expect(noticeOf(lost, refused)?.text).toContain('it has expired. This page does not use it');
    expect(labelOf(live, refused)).toBe('Refused');
    expect(noticeOf(live, { wanted: true })?.title).toBe('Orders need a token');
    expect(noticeOf(lost, { wanted: true })?.title).toBe('The gateway does not answer');
    expect(noticeOf(live, { token: 'x', wanted: true })).toBeUndefined();
  });

  it('explains a refused connection and a graph without stocks', () => {
    const refused = { ...live, socket: 'refused', reason: 'Forbidden' } as const;
    expect(noticeOf(refused)?.text).toContain('Forbidden');
    expect(noticeOf({ ...live, foreign: true })?.title).toBe('This graph has no stocks');
  });
});

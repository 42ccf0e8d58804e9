import { describe, expect, it } from 'vitest';
import { createPayload } from '../../upstream/live-payload.ts';
import { createEncoders, multipart, serverSentEvents } from './http-format.ts';

const event = (cursor: string, more = false) =>
  createPayload({ data: { n: 1 } }, { cursor, key: 'k' }, { seq: 1, more });

describe('events for clients with extensions.live', () => {
  it('have the cursor as their id and in their extensions over server-sent events', () => {
    const { live, plain } = createEncoders(serverSentEvents);
    expect(String(live([event('c1')]))).toBe(
      'event: next\nid: c1\ndata: {"data":{"n":1},"extensions":{"live":{"cursor":"c1"}}}\n\n',
    );
    expect(String(plain([event('c1')]))).toBe('event: next\nid: c1\ndata: {"data":{"n":1}}\n\n');
  });

  it.each([
    ['the event itself', event('c1', true), { conflated: 2, more: false }],
    ["the client's queue", event('c1'), { conflated: 2, more: true }],
  ])('have no cursor in a group, which %s begins', (_what, payload, note) => {
    expect(String(createEncoders(serverSentEvents).live([payload], [note]))).toBe(
      'event: next\ndata: {"data":{"n":1},"extensions":{"live":{"more":true,"conflated":2}}}\n\n',
    );
  });

  it('have the cursor in their extensions over multipart', () => {
    const { live } = createEncoders(multipart);
    expect(String(live([event('c1')]))).toContain(
      '{"payload":{"data":{"n":1},"extensions":{"live":{"cursor":"c1"}}}}',
    );
  });
});

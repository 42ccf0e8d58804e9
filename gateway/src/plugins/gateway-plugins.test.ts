import { createLogger } from '@gudang/runtime';
import { describe, expect, it } from 'vitest';
import { createGatewayHeaders } from '../headers/gateway-headers.ts';
import { createGatewayPlugins } from './gateway-plugins.ts';
import { observeEvents, observeSubscriptions } from './observe-live.ts';
import { RequestHeaders } from './request-headers.ts';

describe('a gateway without plugins', () => {
  it('uses the same functions as if there were no plugins', () => {
    const headers = createGatewayHeaders(createLogger('gateway', 'silent'));
    const plugins = createGatewayPlugins([]);
    expect(plugins.extend(headers)).toBe(headers);
    expect(headers).toMatchObject({ forwarding: undefined, returning: undefined, read: undefined });
    expect(headers.prepare).toBeUndefined();
    expect(plugins).toMatchObject({ apollo: [], needsPipeline: false, live: [] });
    const [live, execute] = [{} as never, (() => {}) as never];
    expect(observeSubscriptions(live, plugins.live, () => [])).toBe(live);
    expect(observeEvents(execute, plugins.live)).toBe(execute);
  });
});

describe('the headers of a request', () => {
  it('are read and changed in any case, and sorted', () => {
    const headers = new RequestHeaders({ 'x-b': '1', 'x-c': '2' });
    expect(headers.get('X-B')).toBe('1');
    headers.set('X-A', '3');
    headers.delete('X-C');
    expect(JSON.stringify(headers.end())).toBe('{"x-a":"3","x-b":"1"}');
  });

  it('remain the same object if no plugin changes them', () => {
    const before = { 'x-a': '1' };
    const headers = new RequestHeaders(before);
    headers.delete('x-b');
    expect(headers.end()).toBe(before);
  });

  it.each([
    ['Host', 'a', 'A plugin must not set the header host'],
    ['gudang-identity', 'a', 'A plugin must not set the header gudang-identity'],
    ['Transfer-Encoding', 'chunked', 'A plugin must not set the header transfer-encoding'],
    ['x a', 'a', 'x a is not the name of a header'],
    ['x-a', 'a\r\nhost: b', 'The value of the header x-a must be'],
    ['x-a', 7 as never, 'The value of the header x-a must be'],
    ['x-a', 'a'.repeat(13_000), 'The headers of a request have 13003 bytes, above 12288'],
  ])('reject %s', (name, value, message) => {
    expect(() => new RequestHeaders({}).set(name, value)).toThrow(message);
  });
});

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createLogger } from '@gudang/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startToyRegistry, type ToyRegistry } from '../testing/toy-registry.ts';
import { FetchError } from './fetch-error.ts';
import { createGraphosRegistry } from './graphos-registry.ts';

/** A stand-in for GraphOS's uplink, with the responses that Apollo documents. */
let uplink: ToyRegistry;
let current = { id: '1', sdl: 'one' };
const logged: string[] = [];
const log = createLogger('gateway', 'debug', { write: (line) => void logged.push(line) });

beforeEach(async () => {
  uplink = await startToyRegistry();
  current = { id: '1', sdl: 'one' };
  logged.length = 0;
  uplink.answer(answer);
});
afterEach(() => uplink.stop());

interface UplinkRequest {
  readonly query: string;
  readonly variables: {
    readonly apiKey: string;
    readonly ref: string;
    readonly ifAfterId: unknown;
  };
}

const newest = (): UplinkRequest => JSON.parse(uplink.requests.at(-1)?.body ?? '{}');

function sendConfig(response: ServerResponse, routerConfig: object): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ data: { routerConfig } }));
}

function answer(_request: IncomingMessage, response: ServerResponse): void {
  const { apiKey, ifAfterId } = newest().variables;
  const { id, sdl } = current;
  const minDelaySeconds = 0.01;
  if (apiKey !== 'service:hush') {
    sendConfig(response, {
      __typename: 'FetchError',
      code: 'AUTHENTICATION_FAILED',
      message: 'no such key',
    });
  } else if (ifAfterId === id)
    sendConfig(response, { __typename: 'Unchanged', id, minDelaySeconds });
  else {
    const config = { id, supergraphSdl: sdl, minDelaySeconds };
    sendConfig(response, { __typename: 'RouterConfigResult', ...config });
  }
}

const create = (apiKey = 'service:hush', endpoints = [uplink.url]) =>
  createGraphosRegistry({ apiKey, graphRef: 'g@current', endpoints, pollMs: 10_000, log });

/** Watches the registry; collects what it reports. */
function watch(endpoints?: string[]) {
  const reports: string[] = [];
  const known = { sdl: 'known', from: 'graphos:g@current' };
  const { stop } = create(undefined, endpoints).watch(known, {
    published: ({ sdl }) => reports.push(sdl),
    unchanged: () => reports.push('unchanged'),
    failed: ({ message }) => reports.push(`failed: ${message}`),
  });
  return { reports, stop };
}

describe('createGraphosRegistry', () => {
  it('fetches the supergraph once', async () => {
    expect(await create().fetch(undefined)).toEqual({ sdl: 'one', from: 'graphos:g@current' });
    expect(newest().variables).toEqual({
      apiKey: 'service:hush',
      ref: 'g@current',
      ifAfterId: null,
    });
    expect(uplink.requests).toHaveLength(1);
  });

  it.each([
    ['rejects the key', answer, 'service:other', 'AUTHENTICATION_FAILED: no such key'],
    [
      'answers 500',
      (_request: IncomingMessage, response: ServerResponse) => response.writeHead(500).end(),
      'service:hush',
      '500',
    ],
    [
      'answers with a page',
      (_request: IncomingMessage, response: ServerResponse) => response.end('<html>'),
      'service:hush',
      'JSON',
    ],
  ])('reports that the uplink %s', async (_what, handler, key, reason) => {
    uplink.answer(handler);
    const error = await create(key)
      .fetch(undefined)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FetchError);
    expect(error).toMatchObject({
      message: expect.stringContaining(reason),
      advice: expect.stringContaining('APOLLO_KEY'),
    });
    expect(logged.join()).not.toContain('hush');
  });

  it('reports each changed supergraph once', async () => {
    const { reports, stop } = watch();
    await vi.waitFor(() => expect(reports).toContain('unchanged'));
    current = { id: '2', sdl: 'two' };
    await vi.waitFor(() => expect(reports).toContain('two'));
    const requests = uplink.requests.length;
    await vi.waitFor(() => expect(uplink.requests.length).toBeGreaterThan(requests + 1));
    await stop();
    expect(reports.filter((one) => one !== 'unchanged')).toEqual(['one', 'two']);
    expect(newest().variables.ifAfterId).toBe('2');
  });

  it('reports an outage, at the start as well as later, and its end', async () => {
    uplink.answer((_request, response) => response.writeHead(503).end());
    const down = watch();
    await vi.waitFor(() => expect(down.reports).toEqual([expect.stringContaining('503')]));
    await down.stop();
    uplink.answer(answer);
    const { reports, stop } = watch();
    await vi.waitFor(() => expect(reports).toContain('unchanged'));
    uplink.answer((_request, response) => response.writeHead(503).end());
    await vi.waitFor(() => expect(reports.at(-1)).toContain('503'));
    current = { id: '2', sdl: 'two' };
    uplink.answer(answer);
    await vi.waitFor(() => expect(reports).toContain('two'));
    await vi.waitFor(() => expect(reports.at(-1)).toBe('unchanged'));
    await stop();
    expect(logged.join()).toContain('g@current in GraphOS answers again');
    expect(logged.join()).not.toContain('hush');
  });

  it('asks the next address after a failure', async () => {
    const other = await startToyRegistry();
    other.answer((_request, response) => response.writeHead(500).end());
    const { reports, stop } = watch([other.url, uplink.url]);
    await vi.waitFor(() => expect(reports).toContain('one'), { timeout: 5_000 });
    await stop();
    await other.stop();
  });

  it('stops at once while the uplink does not answer', async () => {
    const { reports, stop } = watch([uplink.url, uplink.url]);
    await vi.waitFor(() => expect(reports).toContain('unchanged'));
    uplink.answer(() => {});
    const requests = uplink.requests.length;
    await vi.waitFor(() => expect(uplink.requests.length).toBeGreaterThan(requests));
    const reported = reports.length;
    await stop();
    expect(reports).toHaveLength(reported);
    expect(logged.join()).not.toContain('waiting before retry');
    uplink.answer(answer);
    const stopped = uplink.requests.length;
    await create().fetch(undefined);
    expect(uplink.requests.length).toBe(stopped + 1);
  });
});

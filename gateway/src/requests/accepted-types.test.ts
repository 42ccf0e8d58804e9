import { describe, expect, it } from 'vitest';
import { acceptedTypes } from './accepted-types.ts';

const JSON_TYPE = 'application/json';
const RESPONSE_TYPE = 'application/graphql-response+json';
const EVENTS = 'text/event-stream';
const MULTIPART = 'multipart/mixed';

describe('the accepted response types', () => {
  it.each([
    ['no header', undefined, JSON_TYPE, undefined],
    ['an empty header', '', undefined, undefined],
    ['a wildcard', '*/*', JSON_TYPE, undefined],
    ['a wildcard for a subtype', 'application/*', JSON_TYPE, undefined],
    ['graphql-sse', 'text/event-stream', undefined, EVENTS],
    ['an EventSource', 'Text/Event-Stream', undefined, EVENTS],
    [
      'Apollo Client with a subscription',
      'multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json',
      JSON_TYPE,
      MULTIPART,
    ],
    [
      'Apollo Client with a query',
      'application/graphql-response+json,application/json;q=0.9',
      RESPONSE_TYPE,
      undefined,
    ],
    [
      'Apollo Client with @defer',
      'multipart/mixed;deferSpec=20220824,application/json',
      JSON_TYPE,
      undefined,
    ],
    [
      'urql',
      'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
      RESPONSE_TYPE,
      EVENTS,
    ],
    ['a browser', 'text/html,application/xhtml+xml,*/*;q=0.8', JSON_TYPE, undefined],
    ['a lower quality', 'application/json, text/event-stream;q=0.1', JSON_TYPE, EVENTS],
    ['a quality of zero', 'application/json, text/event-stream;q=0', JSON_TYPE, undefined],
    ['a wildcard without streams', 'text/event-stream;q=0, */*', JSON_TYPE, undefined],
    ['JSON with a quality of zero', '*/*, application/json;q=0', RESPONSE_TYPE, undefined],
    [
      'other parameters',
      'multipart/mixed;boundary="-";subscriptionSpec="1.0"',
      undefined,
      MULTIPART,
    ],
    ['another version', 'multipart/mixed;subscriptionSpec=2.0', undefined, undefined],
    ['multipart without subscriptions', 'multipart/mixed', undefined, undefined],
    [
      'multipart with a quality of zero',
      'multipart/mixed;subscriptionSpec=1.0;q=0, application/json',
      JSON_TYPE,
      undefined,
    ],
    [
      'the better of two streams',
      'text/event-stream;q=0.5, multipart/mixed;subscriptionSpec=1.0;q=0.9',
      undefined,
      MULTIPART,
    ],
    ['a type in a quoted parameter', 'text/plain;x="text/event-stream"', undefined, undefined],
    ['a comma in a quoted parameter', 'text/plain;x=",text/event-stream,"', undefined, undefined],
    ['a similar type', 'text/event-streams, xtext/event-stream', undefined, undefined],
    ['text that is not a list of types', ';;,,=",;/', undefined, undefined],
  ])('of %s', (_what, accept, json, stream) => {
    expect(acceptedTypes(accept)).toMatchObject({ json, stream });
  });

  it.each([
    ['multipart/mixed;deferSpec=20220824,application/json', true],
    ['Multipart/Mixed; boundary="-"; DeferSpec="20220824"', true],
    ['application/json, multipart/mixed;deferSpec=20220824;q=0.1', true],
    ['multipart/mixed;deferSpec=20220824;q=0, */*', false],
    ['multipart/mixed;deferSpec=20300101', false],
    ['multipart/mixed;incrementalSpec=v0.2', false],
    ['multipart/mixed;subscriptionSpec=1.0', false],
    ['text/plain;x="multipart/mixed;deferSpec=20220824"', false],
    ['*/*', false],
    [undefined, false],
  ])('include answers in parts: %s', (accept, parts) => {
    expect(acceptedTypes(accept).parts).toBe(parts);
  });

  it('are not read from a header of more than 1,000 characters', () => {
    expect(acceptedTypes(`${'a/b,'.repeat(249)}*/*`).json).toBe(JSON_TYPE);
    expect(() => acceptedTypes(`${'a/b,'.repeat(250)}*/*`)).toThrow(
      'The header Accept is longer than 1,000 characters',
    );
  });
});

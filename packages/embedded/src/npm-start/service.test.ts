import { expect, test } from 'vitest';
import { whyNotReady } from './why-not-ready.ts';

test('the parts that are down say why; degraded ones do not keep it from being ready', () => {
  const parts = {
    database: { state: 'down', reason: 'PostgreSQL does not answer' },
    kafka: { state: 'degraded', reason: 'Kafka is away' },
    feed: { state: 'down', reason: '3 changes are still to be read' },
    process: { state: 'ok' },
  };
  expect(whyNotReady(503, JSON.stringify({ ready: false, parts }))).toBe(
    'database: PostgreSQL does not answer; feed: 3 changes are still to be read',
  );
});

test.each(['Bad gateway', '{"ready":false,"parts":{}}', 'null'])('%s is shown as it is', (body) => {
  expect(whyNotReady(502, body)).toBe(`502 ${body}`);
});

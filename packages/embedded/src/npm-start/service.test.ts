import { describe, expect, it } from 'vitest';
import { whyNotReady } from './service.ts';

describe('whyNotReady', () => {
  it('lists the parts that are down, without degraded parts', () => {
    const parts = {
      database: { state: 'down', reason: 'PostgreSQL does not answer' },
      kafka: { state: 'degraded', reason: 'Kafka is unavailable' },
      feed: { state: 'down', reason: '3 changes have not been read yet' },
      process: { state: 'ok' },
    };
    expect(whyNotReady(503, JSON.stringify({ ready: false, parts }))).toBe(
      'database: PostgreSQL does not answer; feed: 3 changes have not been read yet',
    );
  });

  it.each(['Bad gateway', '{"ready":false,"parts":{}}', 'null'])('shows %s unchanged', (body) => {
    expect(whyNotReady(502, body)).toBe(`502 ${body}`);
  });
});

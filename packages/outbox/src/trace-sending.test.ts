import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Stoppable } from '@gudang/runtime';
import { startTracing, traceId } from '@gudang/runtime/tracing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { traceSending } from './trace-sending.ts';

const CAUSE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const row = {
  id: '1',
  topic: 'order_created',
  key: null,
  value: null,
  version: null,
  headers: null,
  created_at: new Date(),
};

it('traceSending returns the rows unchanged while tracing is off', () => {
  const rows = [{ ...row, traceparent: CAUSE }];
  expect(traceSending(rows).rows).toBe(rows);
});

describe('traceSending with tracing on', () => {
  let collector: Server;
  let tracing: Stoppable;
  let sent: string[];

  beforeEach(async () => {
    sent = [];
    collector = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      sent.push(`${request.url} ${body}`);
      response.end('{}');
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const { port } = collector.address() as AddressInfo;
    // The exporter reads the environment of the process, as OpenTelemetry specifies.
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${port}`;
    tracing = await startTracing('test');
  });
  afterEach(async () => {
    await tracing.stop();
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    collector.closeAllConnections();
    await new Promise((resolve) => collector.close(resolve));
  });

  it('names the sending span as the cause of each traced row and leaves untraced rows alone', () => {
    const { rows, end } = traceSending([
      { ...row, traceparent: CAUSE },
      { ...row, traceparent: null },
    ]);
    expect(traceId(rows[0]?.traceparent)).toBe(traceId(CAUSE));
    expect(rows[0]?.traceparent).not.toBe(CAUSE);
    expect(rows[1]?.traceparent).toBeNull();
    end();
  });
});

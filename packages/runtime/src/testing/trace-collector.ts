import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Stoppable } from '../stoppable.ts';
import { startTracing } from '../tracing/tracing.ts';

/** Tracing that exports to a collector in this process. */
export interface CollectedTracing extends Stoppable {
  /** Received requests. Each is the path, a space, and the OTLP body in JSON. */
  readonly received: readonly string[];
  /** Stops tracing, so that the remaining spans are sent. The collector still runs. */
  readonly flush: () => Promise<void>;
}

export async function startCollectedTracing(): Promise<CollectedTracing> {
  const received: string[] = [];
  const collector = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push(`${request.url} ${body}`);
    response.end('{}');
  });
  await once(collector.listen(0, '127.0.0.1'), 'listening');
  const { port } = collector.address() as AddressInfo;
  // The exporter reads its settings from the process's environment variables, as OpenTelemetry specifies.
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${port}`;
  const tracing = await startTracing('test');
  return {
    received,
    flush: tracing.stop,
    stop: async () => {
      await tracing.stop();
      delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
      collector.closeAllConnections();
      collector.close();
      await once(collector, 'close');
    },
  };
}

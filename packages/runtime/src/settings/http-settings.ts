import { choice, integer, port, type Setting, text, url } from './settings.ts';

/** Settings of every process that serves HTTP. */
export function httpSettings(defaultPort: number) {
  return {
    HOST: {
      description: 'The address to listen on',
      parse: text,
      default: '127.0.0.1',
    },
    PORT: {
      description: 'The port to listen on; 0 picks a free one',
      parse: port,
      default: String(defaultPort),
    },
    DRAIN_MS: {
      description:
        'How long, on SIGTERM, it still answers while /readyz says that it stops, in milliseconds: as long as load balancers need to look elsewhere',
      parse: integer(0, 15_000),
      default: '500',
    },
    LOG_LEVEL: {
      description: 'The least serious log lines that are written',
      parse: choice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
      default: 'info',
    },
    OTEL_EXPORTER_OTLP_ENDPOINT: {
      description:
        'Where traces are sent, OTLP over HTTP; unset: none are made. The other variables of OpenTelemetry, such as OTEL_TRACES_SAMPLER, mean what it says',
      parse: url('http', 'https'),
      optional: true,
      example: 'http://127.0.0.1:4318',
    },
    NODE_ENV: {
      description: 'production switches off introspection and the pages for exploring',
      parse: choice('development', 'production', 'test'),
      default: 'development',
    },
  } as const satisfies Record<string, Setting>;
}

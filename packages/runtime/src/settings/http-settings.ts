import { isHost } from '../http/allowed-hosts.ts';
import { choice, integer, list, port, type Setting, text, url } from './settings.ts';

/** Settings of each process that has an HTTP server. */
export function httpSettings(defaultPort: number) {
  return {
    HOST: {
      description: 'Address to listen on',
      parse: text,
      default: '127.0.0.1',
    },
    PORT: {
      description: 'The port to listen on; 0 selects a free one',
      parse: port,
      default: String(defaultPort),
    },
    ALLOWED_HOSTS: {
      description:
        'Hosts, without ports, that requests may name in the header Host besides localhost and loopback addresses. Unset: no other host if HOST is a loopback address, otherwise any. /healthz and /readyz, and /metrics unless HOST is a loopback address, are served for every host',
      parse: list.refine(
        (hosts) => hosts.every(isHost),
        'a list of host names such as shop.example, without ports, separated by commas',
      ),
      default: '',
      example: 'shop.example',
    },
    DRAIN_MS: {
      description:
        'How long the process still serves requests after SIGTERM while /readyz fails, in milliseconds: the time that load balancers need to notice',
      parse: integer(0, 15_000),
      default: '500',
    },
    LOG_LEVEL: {
      description: 'Lowest level of the log lines that are written',
      parse: choice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
      default: 'info',
    },
    OTEL_EXPORTER_OTLP_ENDPOINT: {
      description:
        'Collector that receives traces by OTLP over HTTP. Unset: no tracing. The other variables of OpenTelemetry, such as OTEL_TRACES_SAMPLER, also apply',
      parse: url('http', 'https'),
      optional: true,
      example: 'http://127.0.0.1:4318',
    },
    JOURNEYS_URL: {
      description:
        'Receiver of the journeys of single requests, by OTLP over HTTP. The gateway serves them at /journeys. Unused while OTEL_EXPORTER_OTLP_ENDPOINT is set',
      parse: url('http'),
      optional: true,
      example: 'http://127.0.0.1:4318',
    },
    JOURNEYS_OF: {
      description:
        'Mutations, by their root field, and REST routes whose requests have journeys. At most 10 per second are traced',
      parse: list,
      default: '',
      example: 'createItem,POST /items',
    },
    NODE_ENV: {
      description: 'production turns off introspection, Sandbox and GraphiQL',
      parse: choice('development', 'production', 'test'),
      default: 'development',
    },
  } as const satisfies Record<string, Setting>;
}

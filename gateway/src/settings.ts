import { identitySettings, protectedHttpSettings } from '@gudang/auth/settings';
import { flag, integer, list, type Setting, type SettingsOf, text } from '@gudang/runtime/settings';

import { limitSettings } from './limits/limit-settings.ts';
import { subgraphLimits } from './subgraphs/subgraph-limits.ts';
import { supergraphSettings } from './supergraph-source/source-settings.ts';

const NAMED_URLS = /^[^=,\s]+=[^,\s]+$/;

/** Parses `name=url` pairs, separated by commas, with URLs of the given schemes. */
function namedUrls(...schemes: string[]) {
  const allowed = `name=url, several separated by commas, each URL starting with ${schemes
    .map((scheme) => `${scheme}://`)
    .join(' or ')}`;
  const pairs = (value: string): string[] => value.split(',').map((pair) => pair.trim());
  const isUrl = (candidate: string): boolean =>
    URL.canParse(candidate) && schemes.includes(new URL(candidate).protocol.slice(0, -1));
  const split = (pair: string): [string, string] => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)];
  };
  return text
    .refine(
      (value) => pairs(value).every((pair) => NAMED_URLS.test(pair) && isUrl(split(pair)[1])),
      allowed,
    )
    .transform((value): ReadonlyMap<string, string> => new Map(pairs(value).map(split)));
}

/** Origins as browsers send them: without a path, such as `https://shop.example`. */
const origins = list.refine(
  (all) => all.every((one) => one === '*' || (URL.canParse(one) && new URL(one).origin === one)),
  'a list of origins such as https://shop.example, separated by commas, or *',
);

const LABEL_SHARE = /^[a-zA-Z][a-zA-Z0-9_\-:./]*(=(100|\d{1,2}(\.\d{1,8})?))?$/;

/** Labels, each with its share of executions in percent; 100 without a share. */
const labelShares = list
  .refine(
    (all) => all.every((one) => LABEL_SHARE.test(one)),
    'a list of labels such as beta or new-price=25, separated by commas; a share is 0 to 100 percent',
  )
  .transform(
    (all): ReadonlyMap<string, number> =>
      new Map(
        all.map((one) => {
          const [label = '', share = '100'] = one.split('=');
          return [label, Number(share)];
        }),
      ),
  );

export const gatewaySettings = {
  ...protectedHttpSettings(4000),
  ...supergraphSettings,
  SUBGRAPH_URLS: {
    description: 'HTTP addresses of subgraphs by name, instead of those in the supergraph',
    parse: namedUrls('http', 'https'),
    optional: true,
    example: 'products=http://127.0.0.1:4001/graphql,reviews=http://127.0.0.1:4002/graphql',
  },
  SUBGRAPH_WS_URLS: {
    description: 'Websocket addresses of subgraphs by name. Unset: the HTTP address with ws or wss',
    parse: namedUrls('ws', 'wss'),
    optional: true,
    example: 'products=ws://127.0.0.1:4001/graphql',
  },
  CORS_ORIGINS: {
    description:
      "Origins of websites whose pages may use the gateway from a browser. The gateway's own pages always may; * allows all",
    parse: origins,
    default: '',
    example: 'https://shop.example,http://localhost:3000',
  },
  ...identitySettings,
  FOREIGN_SUBGRAPHS: {
    description:
      'Names of subgraphs that another team runs. They never get SUBGRAPH_SECRET, and have one websocket per identity, which `connection_init` carries',
    parse: list,
    default: '',
    example: 'reviews,payments',
  },
  HEADER_RULES: {
    description:
      'JSON file with the headers that are forwarded to subgraphs and returned to clients; see docs/headers.md. Unset: none',
    parse: text,
    optional: true,
    example: './headers.json',
  },
  GATEWAY_PLUGINS: {
    description:
      'Modules of plugins, separated by commas: paths relative to the working directory, or names of packages; see docs/plugins/README.md',
    parse: list,
    default: '',
    example: './audit-log.mjs,./usage-report.mjs',
  },
  EXPLORE: {
    description:
      'Whether introspection, Sandbox, GraphiQL and suggestions of similar names are on. Unset: on, unless NODE_ENV is production',
    parse: flag,
    optional: true,
  },
  PAGES: {
    description:
      'Whether the gateway serves its web pages: /, /live, /graphiql and Sandbox; the last two need EXPLORE',
    parse: flag,
    default: 'true',
  },
  SUBGRAPH_TIMEOUT_MS: {
    description: 'Time-out of a request to a subgraph, in milliseconds',
    parse: integer(100, 300_000),
    default: '10000',
  },
  SUBGRAPH_LIMITS: {
    description:
      'Limits of single subgraphs: time-out of a request, retries of a query, connections, requests that wait for a connection, and when the circuit breaker opens (breakerFailures=0: never)',
    parse: subgraphLimits,
    default: '',
    example: 'reviews:timeoutMs=800,sockets=16;*:breakerFailures=10',
  },
  OVERRIDE_LABELS: {
    description:
      'Labels of progressive overrides (@override(label:)) that are on, each with the share of executions in percent, by default 100. Other labels are off; labels such as percent(5) contain their share',
    parse: labelShares,
    default: '',
    example: 'beta,new-price=25',
  },
  TRUSTED_DOCUMENTS: {
    description:
      'File with the safelist, as @apollo/generate-persisted-query-manifest writes it; all other operations are rejected on every protocol',
    parse: text,
    optional: true,
    example: './persisted-query-manifest.json',
  },
  ...limitSettings,
  LIVE_RECONNECT_LIMIT_S: {
    description:
      'How long a live stream waits for an unavailable subgraph, in seconds, before it ends with an error',
    parse: integer(1, 86_400),
    default: '120',
  },
  LIVE_UPSTREAMS: {
    description:
      'Maximum websockets to one subgraph. A subgraph has one; further ones are opened for each set of forwarded headers, and for each identity if it is foreign. Above it, streams that need another one end with OVERLOADED',
    parse: integer(1, 1_000_000),
    default: '2000',
  },
  LIVE_QUEUE_MESSAGES: {
    description:
      'Maximum events queued for a slow client of a stream; above it the client is disconnected',
    parse: integer(1, 1_000_000),
    default: '10000',
  },
  LIVE_QUEUE_KIB: {
    description: 'The same limit in KiB',
    parse: integer(64, 1_048_576),
    default: '8192',
  },
  LIVE_CATCH_UPS: {
    description:
      'Maximum catch-ups at the same time, a tenth of them for one caller and four fifths from one subgraph; others wait, and callers take turns',
    parse: integer(1, 10_000),
    default: '50',
  },
  LIVE_RETAINED: {
    description:
      'Maximum states in the last-value cache of a stream without cursors; above it each late subscriber gets its own upstream',
    parse: integer(1, 1_000_000),
    default: '1000',
  },
  LIVE_HISTORY_KIB: {
    description:
      'Maximum size of the replay buffer of a stream, in KiB, for clients that reconnect soon',
    parse: integer(1, 1_048_576),
    default: '128',
  },
} as const satisfies Record<string, Setting>;

export type GatewaySettings = SettingsOf<typeof gatewaySettings>;

import { identitySettings, protectedHttpSettings } from '@gudang/auth/settings';
import { flag, integer, list, type Setting, type SettingsOf, text } from '@gudang/runtime/settings';

import { limitSettings } from './limits/limit-settings.ts';

const NAMED_URLS = /^[^=,\s]+=[^,\s]+$/;

/** `name=url`, several separated by commas, with URLs of the given schemes. */
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

/** Such as `https://shop.example`, as browsers send it: with no path, and nothing after the port. */
const origins = list.refine(
  (all) => all.every((one) => one === '*' || (URL.canParse(one) && new URL(one).origin === one)),
  'a list of origins such as https://shop.example, separated by commas, or *',
);

export const gatewaySettings = {
  ...protectedHttpSettings(4000),
  SUPERGRAPH: {
    description:
      'The file with the composed supergraph, read again whenever it changes; unset: the one that comes with the gateway',
    parse: text,
    optional: true,
    example: './supergraph.graphql',
  },
  SUBGRAPH_URLS: {
    description: 'Where subgraphs answer, by name, in place of what the supergraph says',
    parse: namedUrls('http', 'https'),
    optional: true,
    example: 'order=http://127.0.0.1:8000/graphql,stock=http://127.0.0.1:8001/graphql',
  },
  SUBGRAPH_WS_URLS: {
    description: "Where subgraphs take subscriptions, by name; unset: their URL's with ws or wss",
    parse: namedUrls('ws', 'wss'),
    optional: true,
    example: 'stock=ws://127.0.0.1:8001/graphql',
  },
  CORS_ORIGINS: {
    description:
      "Websites whose pages may use the gateway from their visitors' browsers, beside its own pages; * allows all",
    parse: origins,
    default: '',
    example: 'https://shop.example,http://localhost:3000',
  },
  ...identitySettings,
  FOREIGN_SUBGRAPHS: {
    description:
      'Subgraphs of others, by name: they are told who asks in `connection_init`, on a connection for each identity, and never get the secret',
    parse: list,
    default: '',
    example: 'reviews,payments',
  },
  EXPLORE: {
    description:
      'Whether strangers may explore: introspection, Sandbox and GraphiQL, what a wrong name may have meant; unset: not where NODE_ENV is production',
    parse: flag,
    optional: true,
  },
  PAGES: {
    description:
      'Whether the pages for people are served: /, /live, /graphiql and Sandbox; the latter two only with EXPLORE',
    parse: flag,
    default: 'true',
  },
  SUBGRAPH_TIMEOUT_MS: {
    description: 'How long a subgraph may take to answer, in milliseconds',
    parse: integer(100, 300_000),
    default: '10000',
  },
  TRUSTED_DOCUMENTS: {
    description:
      'A manifest of operations, as @apollo/generate-persisted-query-manifest writes it; then nothing else is answered, on any protocol',
    parse: text,
    optional: true,
    example: './persisted-query-manifest.json',
  },
  ...limitSettings,
  LIVE_RECONNECT_LIMIT_S: {
    description:
      'How long a live stream waits for a lost subgraph, in seconds, before its clients get an error',
    parse: integer(1, 86_400),
    default: '120',
  },
  LIVE_QUEUE_MESSAGES: {
    description: 'The most events that wait for one slow client of a stream before it is closed',
    parse: integer(1, 1_000_000),
    default: '10000',
  },
  LIVE_QUEUE_KIB: {
    description: 'The same in KiB of JSON',
    parse: integer(64, 1_048_576),
    default: '8192',
  },
  LIVE_CATCH_UPS: {
    description: 'Clients that catch up from an own cursor at a time; others wait for their turn',
    parse: integer(1, 10_000),
    default: '50',
  },
  LIVE_RETAINED: {
    description:
      'Newest states that a stream without cursors keeps for those who join later; past it they get an own upstream',
    parse: integer(1, 1_000_000),
    default: '1000',
  },
  LIVE_HISTORY_KIB: {
    description: 'KiB of past events that a stream keeps for clients that come back soon',
    parse: integer(1, 1_048_576),
    default: '128',
  },
} as const satisfies Record<string, Setting>;

export type GatewaySettings = SettingsOf<typeof gatewaySettings>;

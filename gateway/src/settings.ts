import { httpSettings, integer, type Setting, type SettingsOf, text } from '@gudang/service';

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

export const gatewaySettings = {
  ...httpSettings(4000),
  SUPERGRAPH: {
    description:
      'The file with the composed supergraph; unset: the one that comes with the gateway',
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
  SUBGRAPH_TIMEOUT_MS: {
    description: 'How long a subgraph may take to answer, in milliseconds',
    parse: integer(100, 300_000),
    default: '10000',
  },
  LIVE_RECONNECT_LIMIT_S: {
    description:
      'How long a live stream waits for a lost subgraph, in seconds, before its clients get an error',
    parse: integer(1, 86_400),
    default: '120',
  },
} as const satisfies Record<string, Setting>;

export type GatewaySettings = SettingsOf<typeof gatewaySettings>;

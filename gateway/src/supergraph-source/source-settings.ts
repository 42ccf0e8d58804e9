import { integer, list, type Setting, text } from '@gudang/runtime/settings';
import { parseHeaderLines } from './header-lines.ts';

/** The place where the supergraph is published. */
export type SupergraphPlace =
  | { readonly kind: 'file'; readonly path: string }
  /** Addresses of the same supergraph. The first one that answers is used. */
  | { readonly kind: 'urls'; readonly urls: readonly string[] }
  | { readonly kind: 'graphos' };

const SCHEME = /^[a-z][a-z0-9+.-]+:\/\//i;

/** A comma separates two URLs only if another URL follows: a URL may contain commas itself. */
const BETWEEN_URLS = /,(?=\s*[a-z][a-z0-9+.-]+:\/\/)/i;

const urlsIn = (value: string): string[] => value.split(BETWEEN_URLS).map((url) => url.trim());

function isHttpUrl(candidate: string): boolean {
  try {
    const { protocol, username, password } = new URL(candidate);
    decodeURIComponent(username + password);
    return protocol === 'http:' || protocol === 'https:';
  } catch {
    return false;
  }
}

/** Returns a URL without its user and password, and without its query, which may be a signature. */
function withoutSecrets(candidate: string): string {
  if (!URL.canParse(candidate)) return 'no URL';
  const { protocol, host, pathname } = new URL(candidate);
  return `${protocol}//${host}${pathname}`;
}

const place = text
  .refine(
    (value) => (SCHEME.test(value) ? urlsIn(value).every(isHttpUrl) : !value.includes('\0')),
    'a file, a URL that starts with http:// or https:// (several of the same supergraph separated by commas), or graphos',
  )
  .transform((value): SupergraphPlace => {
    if (SCHEME.test(value)) return { kind: 'urls', urls: urlsIn(value) };
    return value === 'graphos' ? { kind: 'graphos' } : { kind: 'file', path: value };
  });

const headerLines = text
  .refine(
    (value) => !value.includes('\0'),
    'headers such as Authorization: Bearer …, on separate lines',
  )
  .transform((value, context) => {
    try {
      return parseHeaderLines(value);
    } catch (error) {
      context.addIssue((error as Error).message);
      return new Map<string, string>();
    }
  });

/** Settings of the supergraph and of the place where it is published. */
export const supergraphSettings = {
  SUPERGRAPH: {
    description:
      'Composed supergraph: a file, a URL, or graphos; applied again when it changes. Several URLs of the same supergraph, separated by commas, are tried in this order. Unset: supergraph.graphql in the gateway’s folder, which the published package does not contain',
    parse: place,
    optional: true,
    printed: (value) =>
      SCHEME.test(value) ? value.split(BETWEEN_URLS).map(withoutSecrets).join(', ') : value,
    example: './supergraph.graphql',
    check: ({ SUPERGRAPH, APOLLO_KEY, APOLLO_GRAPH_REF }) =>
      (SUPERGRAPH as SupergraphPlace).kind === 'graphos' && !(APOLLO_KEY && APOLLO_GRAPH_REF)
        ? 'graphos needs APOLLO_KEY and APOLLO_GRAPH_REF'
        : undefined,
  },
  SUPERGRAPH_HEADERS: {
    description:
      'Headers of requests to the URL in SUPERGRAPH, such as credentials; several on separate lines',
    parse: headerLines,
    optional: true,
    secret: true,
    example: 'Authorization: Bearer …',
  },
  SUPERGRAPH_HEADERS_FILE: {
    description:
      'File with further such headers, read before each request, so that credentials can be replaced without a restart',
    parse: text,
    optional: true,
    example: '/run/secrets/registry-headers',
  },
  SUPERGRAPH_POLL_S: {
    description:
      'Interval at which the URL in SUPERGRAPH, or GraphOS, is checked for changes, in seconds. A file is checked every second. GraphOS is never checked more often than every 10 s',
    parse: integer(1, 86_400),
    default: '10',
  },
  SUPERGRAPH_COPIES: {
    description:
      'Folder for a copy of the last good supergraph of the URL in SUPERGRAPH, or of GraphOS: the gateway starts with this copy while they are unavailable. off: no copy',
    parse: text,
    default: '.gudang/supergraphs',
  },
  APOLLO_KEY: {
    description: 'API key of the graph in GraphOS; with SUPERGRAPH=graphos',
    parse: text,
    optional: true,
    secret: true,
  },
  APOLLO_GRAPH_REF: {
    description: 'Graph and variant in GraphOS; with SUPERGRAPH=graphos',
    parse: text,
    optional: true,
    example: 'my-graph@current',
  },
  APOLLO_UPLINK_ENDPOINTS: {
    description:
      'Addresses of GraphOS’s uplink, separated by commas. Unset: the addresses of Apollo',
    parse: list.refine(
      (all) => all.length > 0 && all.every(isHttpUrl),
      'URLs that start with http:// or https://, separated by commas',
    ),
    optional: true,
    example: 'https://uplink.api.apollographql.com/',
  },
} as const satisfies Record<string, Setting>;

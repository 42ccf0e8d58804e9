/**
 * Libraries whose regular expressions read no data of requests, and what they read instead. Their
 * super-linear regular expressions are accepted.
 */
export const NO_REQUEST_DATA: Readonly<Record<string, string>> = {
  '@apollo/composition': 'schemas',
  '@apollo/gateway': 'answers to a fetcher that the gateway does not use',
  '@apollo/server':
    'suggestions, which graphql-js leaves out instead (hideSchemaDetailsFromClientErrors)',
  '@lukeed/ms': 'constants in code',
  '@npmcli/redact': 'errors of a fetcher that the gateway does not use',
  '@opentelemetry/resource-detector-aws': "the machine's own description",
  '@prisma/adapter-pg': 'error messages of PostgreSQL, whose values have at most 255 characters',
  '@prisma/client': 'SQL, and source code shown in errors',
  '@prisma/client-engine-runtime': 'times that PostgreSQL sends',
  'ajv-formats': 'settings of Fastify; no route has a schema',
  'bignumber.js': 'numbers that OpenTelemetry sends',
  'brace-expansion': 'paths of files',
  chalk: 'templates in code',
  'content-disposition': 'names of files that the gateway serves',
  dateformat: 'formats in code',
  'fast-json-stringify': 'schemas; no route has one',
  'fast-uri': 'names of schemas; no route has one',
  'fastify-plugin': 'names of plugins',
  'get-intrinsic': 'names in code',
  'http-cache-semantics': 'answers to a fetcher that the gateway does not use',
  'iconv-lite': 'answers to a fetcher that the gateway does not use',
  'ip-address': 'addresses of a proxy of a fetcher that the gateway does not use',
  'lodash.sortby': 'names in code',
  'make-fetch-happen': 'answers to a fetcher that the gateway does not use',
  minimatch: 'paths of files',
  'minipass-fetch': 'answers to a fetcher that the gateway does not use',
  ms: 'constants in code',
  'node-cpu-count': "the machine's own description",
  'node-fetch': 'answers to a fetcher that the gateway does not use',
  'object-inspect': 'numbers shown in errors',
  pino: 'settings of the log',
  'pino-pretty': 'templates in code',
  'postgres-date': 'times that PostgreSQL sends',
  'postgres-interval': 'intervals that PostgreSQL sends',
  'pretty-format': 'symbols in code',
  'stacktrace-parser': 'stack traces',
  'ts-graphviz': 'comments in code',
  undici: 'caches and data URLs, which the services do not use',
  'whatwg-url': 'URLs of a fetcher that the gateway does not use',
  zod: 'slugs, which no schema of the services has',
};

/** Super-linear regular expressions that read data of requests, and why their time is bounded. */
export const BOUNDED: readonly { library: string; source: RegExp; reason: string }[] = [
  {
    library: 'fastify',
    source: /^\(\?:\^\|;\)\\s\*/,
    reason: 'the HTTP server rejects long content types before Fastify parses them',
  },
  { library: 'fastify', source: /^-\(\?:rc\|pre\|alpha\)/, reason: 'reads versions of plugins' },
  {
    library: 'whatwg-mimetype',
    source: /^\[ \\t\\n\\r\]\+\$$/,
    reason: 'the HTTP server rejects long content types before Apollo Server parses them',
  },
  {
    library: 'ipaddr.js',
    source: /^%\.\+\$$/,
    reason: 'takes long only for texts with line breaks, which a header cannot contain',
  },
];

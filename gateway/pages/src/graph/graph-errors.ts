/** An error as the graph answers it. */
export interface GraphError {
  readonly message: string;
  readonly extensions?: {
    readonly code?: string;
    /** Of `BAD_USER_INPUT`: which argument, such as `input.quantity`. */
    readonly argument?: string;
    /** Of `BAD_USER_INPUT`: what may stand there. */
    readonly allowed?: string;
    /** The subgraph that it came from. */
    readonly serviceName?: string;
  };
}

/** The operation names a field that this graph does not have. */
export function isUnknownField(error: GraphError): boolean {
  return error.extensions?.code === 'GRAPHQL_VALIDATION_FAILED';
}

/** The subgraphs that could not be asked, each once. */
export function unavailableServices(errors: readonly GraphError[]): string[] {
  const names = errors.flatMap(({ extensions }) =>
    extensions?.code === 'UNAVAILABLE' && extensions.serviceName ? [extensions.serviceName] : [],
  );
  return [...new Set(names)].sort();
}

const FIELDS: Readonly<Record<string, string>> = {
  'input.productId': 'The product',
  'input.quantity': 'The quantity',
  'input.id': 'The id',
  'input.name': 'The name',
  id: 'The product',
  delta: 'The change',
  reason: 'The reason',
};

/** What went wrong, for people who see a form and not an operation. */
export function inPlainWords({ message, extensions = {} }: GraphError): string {
  const { code, argument = '', allowed, serviceName } = extensions;
  const field = FIELDS[argument];
  if (code === 'BAD_USER_INPUT' && field && allowed) return `${field} must be ${allowed}.`;
  if (code === 'UNAVAILABLE') {
    return `The ${serviceName ?? 'service'} service does not answer right now. Try again in a moment.`;
  }
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

/** An error in an answer of the graph. */
export interface GraphError {
  readonly message: string;
  readonly extensions?: {
    readonly code?: string;
    /** With `BAD_USER_INPUT`: path of the argument, such as `input.quantity`. */
    readonly argument?: string;
    /** With `BAD_USER_INPUT`: the allowed values, such as `a whole number from 1 to 100`. */
    readonly allowed?: string;
    /** With `BAD_USER_INPUT` of a subgraph: all invalid arguments. */
    readonly invalid?: readonly InvalidArgument[];
    /** With `FORBIDDEN`: the missing scopes; all scopes of one of the lists are needed. */
    readonly scopes?: readonly (readonly string[])[];
    /** Name of the subgraph that the error comes from. */
    readonly serviceName?: string;
  };
}

interface InvalidArgument {
  readonly argument: string;
  readonly allowed: string;
  /** The problem of the value, such as `is empty`. */
  readonly problem?: string;
}

/** Whether the operation selects a field that this graph does not have. */
export function isUnknownField(error: GraphError): boolean {
  return error.extensions?.code === 'GRAPHQL_VALIDATION_FAILED';
}

/** Names of the subgraphs that did not answer, sorted and without duplicates. */
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

/** Describes an error to a user. The user knows form fields, not arguments. */
export function errorText({ message, extensions = {} }: GraphError): string {
  const { code, argument = '', allowed = '', serviceName, scopes = [] } = extensions;
  const { invalid = [{ argument, allowed }] } = extensions;
  if (code === 'BAD_USER_INPUT' && invalid.every((one) => one.allowed && FIELDS[one.argument])) {
    return invalid.map(sentenceOf).join(' ');
  }
  if (code === 'UNAUTHENTICATED') return 'Sign in to do this.';
  if (code === 'FORBIDDEN') return forbiddenText(scopes);
  if (code === 'UNAVAILABLE') {
    return `The ${serviceName ?? 'requested'} service does not answer right now. Try again in a moment.`;
  }
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

function forbiddenText(scopes: readonly (readonly string[])[]): string {
  const permission = scopes.map((all) => all.join(' and ')).join(', or ');
  const missing = permission ? `the permission ${permission}` : 'permission';
  return `You are signed in, but you may not do this. Ask your administrator for ${missing}.`;
}

/** Describes to a user why the gateway refused a token. @param refusal the gateway's reason */
export function refusalText(refusal: string): string {
  if (/expired/i.test(refusal)) return 'Your sign-in has expired.';
  const [, reason] = /: (.+)$/.exec(refusal) ?? [];
  return reason ? `Your token was not accepted: ${reason}.` : 'Your token was not accepted.';
}

function sentenceOf({ argument, allowed, problem }: InvalidArgument): string {
  const field = FIELDS[argument];
  return problem ? `${field} ${problem}; it must be ${allowed}.` : `${field} must be ${allowed}.`;
}

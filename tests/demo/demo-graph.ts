import { readFileSync } from 'node:fs';
import { type Graph, type GraphError, graphAt } from '@gudang/testing/clients/graph-client';

/** An error whose message is printed for the user. */
export class DemoError extends Error {
  /** The code of the GraphQL error that caused this one. */
  readonly code: string | undefined;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** The gateway as the demo sees it. */
export interface DemoGraph {
  readonly url: string;
  /** Returns the value of the header `Authorization`; undefined without a token. */
  readonly authorization: () => string | undefined;
  /** Runs an operation. Its errors are part of the answer. */
  readonly send: Graph;
  /** Runs an operation and returns its data. @throws {DemoError} if it fails */
  // biome-ignore lint/suspicious/noExplicitAny: the data of any operation
  readonly run: (query: string, variables?: Readonly<Record<string, unknown>>) => Promise<any>;
}

const TOKEN_ADVICE =
  'Set GUDANG_TOKEN, or GUDANG_TOKEN_FILE, to a valid token with the scopes order:write and stock:write';

/** @throws {DemoError} if GATEWAY_URL is not a URL, or if the token's file cannot be read */
export function createDemoGraph(env: NodeJS.ProcessEnv): DemoGraph {
  const url = env['GATEWAY_URL']?.trim() || 'http://localhost:4000/graphql';
  if (!URL.canParse(url)) throw new DemoError(`GATEWAY_URL: ${JSON.stringify(url)} is not a URL`);
  const authorization = (): string | undefined => {
    const token = readToken(env);
    return token === undefined ? undefined : `Bearer ${token}`;
  };
  authorization();
  const send: Graph = (query, variables) => graphAt(url, authorization())(query, variables);
  return {
    url,
    authorization,
    send,
    run: async (query, variables) => {
      const { data, errors } = await send(query, variables).catch((error: Error) => {
        throw new DemoError(describeFailure(url, error));
      });
      if (errors?.[0]) throw new DemoError(describeErrors(errors), codeOf(errors[0]));
      if (data == null) throw new DemoError(`${url} is no GraphQL endpoint; check GATEWAY_URL`);
      return data;
    },
  };
}

/** Reads the token. The file is read again for each request, because another program may renew it. */
function readToken(env: NodeJS.ProcessEnv): string | undefined {
  const file = env['GUDANG_TOKEN_FILE']?.trim();
  if (!file) return env['GUDANG_TOKEN']?.trim() || undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new DemoError(`GUDANG_TOKEN_FILE: ${(error as Error).message}`);
  }
}

/** Whether the gateway refuses the caller, so that only another token helps. */
export function isAccessError(error: GraphError): boolean {
  return ['UNAUTHENTICATED', 'FORBIDDEN'].includes(codeOf(error));
}

function codeOf({ extensions }: GraphError): string {
  return String(extensions?.['code']);
}

function describeErrors(errors: readonly GraphError[]): string {
  const text = [...new Set(errors.map(({ message }) => message.replace(/\.$/, '')))].join('; ');
  return errors.some(isAccessError) ? `${text}. ${TOKEN_ADVICE}` : `The gateway answers: ${text}`;
}

/** Describes why no answer arrived. `fetch` wraps the reason in an error of its own. */
export function describeFailure(url: string, error: Error & { cause?: unknown }): string {
  if (error.message.startsWith('HTTP ')) return `${url}: ${error.message}; check GATEWAY_URL`;
  return `The gateway at ${url} is unavailable (${reasonOf(error)}): start it with npm start, or set GATEWAY_URL to its address`;
}

export function reasonOf({ message, cause }: Error & { cause?: unknown }): string {
  return (cause as { code?: string } | undefined)?.code ?? message;
}

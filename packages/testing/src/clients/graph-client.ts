export interface GraphError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** A response. A test may give the type of `data`. */
// biome-ignore lint/suspicious/noExplicitAny: answers of any shape, asserted on by the test
export interface GraphAnswer<T = any> {
  readonly status: number;
  readonly data: T | null | undefined;
  readonly errors: readonly GraphError[] | undefined;
  readonly extensions: Readonly<Record<string, unknown>> | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: as above
export type Graph = <T = any>(
  query: string,
  variables?: Readonly<Record<string, unknown>>,
) => Promise<GraphAnswer<T>>;

const TIMEOUT_MS = 20_000;

/**
 * Creates a GraphQL client over HTTP. Errors are part of the response. If the server is
 * unavailable, the promise rejects.
 * @param url for example `http://127.0.0.1:4000/graphql`; a function if it may change
 * @param authorization the caller's token, `Bearer <token>`
 * @param headers additional headers
 */
export function graphAt(
  url: string | (() => string),
  authorization?: string,
  headers: Readonly<Record<string, string>> = {},
): Graph {
  return async (query, variables) => {
    const response = await fetch(typeof url === 'string' ? url : url(), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(authorization === undefined ? {} : { authorization }),
        ...headers,
      },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    try {
      const { data, errors, extensions } = JSON.parse(text);
      return { status: response.status, data, errors, extensions };
    } catch {
      throw new Error(`HTTP ${response.status}, body is not JSON: ${text.slice(0, 300)}`);
    }
  };
}

/** Returns the data of a response. @throws if it has errors or no data */
export async function dataOf<T>(answer: Promise<GraphAnswer<T>>): Promise<T> {
  const { data, errors } = await answer;
  if (errors || data == null)
    throw new Error(`The response has errors or no data: ${JSON.stringify(errors)}`);
  return data;
}

export interface GraphError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** What a test reads from is only known to the test: it names the type, or goes without one. */
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

const ANSWER_WITHIN_MS = 20_000;

/**
 * Asks over HTTP, as an app does: errors are in the answer, a server that is away throws.
 * @param url such as `http://127.0.0.1:4000/graphql`; a function where it may change
 * @param authorization `Bearer <token>`, of whoever asks
 * @param headers further ones
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
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    const text = await response.text();
    try {
      const { data, errors, extensions } = JSON.parse(text);
      return { status: response.status, data, errors, extensions };
    } catch {
      throw new Error(`HTTP ${response.status} with no JSON: ${text.slice(0, 300)}`);
    }
  };
}

/** The data of an answer that has no errors. */
export async function dataOf<T>(answer: Promise<GraphAnswer<T>>): Promise<T> {
  const { data, errors } = await answer;
  if (errors || data == null) throw new Error(`No data but ${JSON.stringify(errors)}`);
  return data;
}

import { request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface RestAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: responses have any shape, and the tests check it
  readonly body: any;
}

export interface RestRequest {
  /** Method and path, for example `POST /order/add-order`. The path is sent unchanged. */
  readonly route: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

export const JSON_TYPE = { 'content-type': 'application/json' } as const;

/** Sends a request unchanged. `fetch` would normalize the URL and add a content type. */
export async function sendRequest(
  origin: string,
  { route, body, headers = body === undefined ? {} : JSON_TYPE }: RestRequest,
): Promise<RestAnswer> {
  const [method, path] = route.split(' ', 2);
  const { hostname, port } = new URL(origin);
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, method, path, headers, agent: false }, (response) => {
      text(response).then(
        (answer) => resolve({ status: response.statusCode ?? 0, body: JSON.parse(answer) }),
        reject,
      );
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

export function json(value: unknown): string {
  return JSON.stringify(value);
}

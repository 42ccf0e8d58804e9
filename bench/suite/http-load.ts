import { Agent, request } from 'node:http';

export interface Load {
  readonly url: string;
  /** Returns the JSON body of a POST request. @param turn number of the request over all rounds */
  readonly body: (turn: number) => string;
  /**
   * Number of connections. Each connection sends its next request after it has received the
   * previous response.
   */
  readonly clients: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Latencies in milliseconds. */
  readonly latencies: readonly number[];
}

export interface Loader {
  /** @throws if a request fails or a response has errors */
  readonly run: (forMs: number) => Promise<LoadResult>;
  readonly close: () => void;
}

/** Sends load from this process over keep-alive connections. */
export function createLoader({ url, body, clients }: Load): Loader {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const post = createPost(url, agent);
  let turn = 0;
  return {
    run: async (forMs) => {
      const latencies: number[] = [];
      const from = performance.now();
      const until = from + forMs;
      const client = async (): Promise<void> => {
        while (performance.now() < until) {
          const sent = performance.now();
          turn += 1;
          await post(body(turn));
          latencies.push(performance.now() - sent);
        }
      };
      await Promise.all(Array.from({ length: clients }, client));
      return { requests: latencies.length, seconds: (performance.now() - from) / 1_000, latencies };
    },
    close: () => agent.destroy(),
  };
}

/** Sends requests at a fixed rate without waiting for responses, until the load is stopped. */
export function startPaced(
  { url, body }: Omit<Load, 'clients'>,
  requestsPerSecond: number,
): () => Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const post = createPost(url, agent);
  const sent: Promise<string>[] = [];
  const timer = setInterval(() => sent.push(post(body(sent.length))), 1_000 / requestsPerSecond);
  return async () => {
    clearInterval(timer);
    await Promise.all(sent);
    agent.destroy();
  };
}

function createPost(url: string, agent: Agent): (body: string) => Promise<string> {
  const { hostname, port, pathname } = new URL(url);
  return (body) =>
    new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      };
      const options = { agent, hostname, port, path: pathname, method: 'POST', headers };
      const sending = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          const { statusCode = 0 } = response;
          if (statusCode < 300 && !text.startsWith('{"errors"')) resolve(text);
          else reject(new Error(`HTTP ${statusCode}: ${text.slice(0, 300)}`));
        });
      });
      sending.on('error', reject);
      sending.end(body);
    });
}

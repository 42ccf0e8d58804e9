import { Agent, request } from 'node:http';

export interface Load {
  readonly url: string;
  /** Sent by POST, as JSON. @param turn counts the requests of all rounds */
  readonly body: (turn: number) => string;
  /** Connections; each sends its next request when it has its answer. */
  readonly clients: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** How long each answer took, in milliseconds. */
  readonly waits: readonly number[];
}

export interface Loader {
  /** @throws when an answer was none, or had errors */
  readonly run: (forMs: number) => Promise<LoadResult>;
  readonly close: () => void;
}

/** Sends what it is told, from this process, over connections that it keeps. */
export function createLoader({ url, body, clients }: Load): Loader {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const post = createPost(url, agent);
  let turn = 0;
  return {
    run: async (forMs) => {
      const waits: number[] = [];
      const from = performance.now();
      const until = from + forMs;
      const client = async (): Promise<void> => {
        while (performance.now() < until) {
          const sent = performance.now();
          turn += 1;
          await post(body(turn));
          waits.push(performance.now() - sent);
        }
      };
      await Promise.all(Array.from({ length: clients }, client));
      return { requests: waits.length, seconds: (performance.now() - from) / 1_000, waits };
    },
    close: () => agent.destroy(),
  };
}

/** Sends so many a second, whether or not the answers come, until told to stop. */
export function startPaced(
  { url, body }: Omit<Load, 'clients'>,
  aSecond: number,
): () => Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const post = createPost(url, agent);
  const sent: Promise<string>[] = [];
  const timer = setInterval(() => sent.push(post(body(sent.length))), 1_000 / aSecond);
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

import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from './cli.ts';

/** An error of one field or of the whole operation. */
interface GraphQLError {
  readonly message: string;
  readonly extensions?: { readonly code?: string; readonly retryable?: boolean };
}
interface Answer<T> {
  readonly data?: T | null;
  readonly errors?: readonly GraphQLError[];
}

export interface GraphClient {
  readonly url: string;
  /** The token's subject; undefined without a token, or if the token is not a JSON Web Token. */
  readonly subject: string | undefined;
  /**
   * Runs an operation. Repeats it while the gateway is unavailable or refuses it for a short time, so a
   * mutation must have an idempotency key.
   * @throws {CommandError} if the gateway rejects the operation or stays unavailable
   */
  readonly run: <T>(query: string, variables: object) => Promise<T>;
}

/** Time-out of one attempt, in milliseconds. */
const ATTEMPT_MS = 30_000;
/** Time without success after which the command gives up, in milliseconds. */
const GIVE_UP_MS = 60_000;
const PAUSE_MS = { first: 100, longest: 5_000 };
/** HTTP statuses after which the same request may succeed later. */
const RETRYABLE = new Set([408, 425, 429, 502, 503, 504]);
/** HTTP statuses of operations that were not executed. */
const REJECTED = new Set([400, 401, 403]);

/** A failed attempt that may succeed later. */
interface Retry {
  readonly reason: string;
  /** Pause that the gateway asks for, in milliseconds. */
  readonly pauseMs?: number;
}

/** @param giveUpMs time without success after which an operation fails, in milliseconds */
export function createGraphClient({
  url,
  token,
  giveUpMs = GIVE_UP_MS,
}: {
  url: string;
  token: string | undefined;
  giveUpMs?: number;
}): GraphClient {
  const headers = {
    'content-type': 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const attempt = async <T>(body: string): Promise<T | Retry> => {
    let response: Response;
    let text: string;
    try {
      const signal = AbortSignal.timeout(ATTEMPT_MS);
      response = await fetch(url, { method: 'POST', headers, body, signal });
      text = await response.text();
    } catch (error) {
      return retry(reasonOf(error));
    }
    return readAnswer<T>(response, text, url);
  };

  return {
    url,
    subject: subjectOf(token),
    run: async <T>(query: string, variables: object) => {
      const body = JSON.stringify({ query, variables });
      const giveUpAt = Date.now() + giveUpMs;
      let attempts = 0;
      for (let pauseMs = PAUSE_MS.first; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MS.longest)) {
        attempts += 1;
        const result = await attempt<T>(body).catch((error: Error) => {
          // An earlier attempt may have been executed, although its answer was lost.
          throw attempts === 1 ? error : new CommandError(error.message);
        });
        if (!isRetry(result)) return result;
        const wait = Math.max(pauseMs, result.pauseMs ?? 0);
        if (Date.now() + wait > giveUpAt) {
          throw new CommandError(`The gateway at ${url} is unavailable: ${result.reason}`);
        }
        await sleep(wait);
      }
    },
  };
}

const RETRY = Symbol('retry');
function retry(reason: string, pauseMs?: number): Retry {
  return Object.assign(
    { reason, ...(pauseMs === undefined ? {} : { pauseMs }) },
    { [RETRY]: true },
  );
}
function isRetry(result: unknown): result is Retry {
  return typeof result === 'object' && result !== null && RETRY in result;
}

function readAnswer<T>(response: Response, text: string, url: string): T | Retry {
  const { status } = response;
  const answer = parseAnswer<T>(text);
  const [error] = answer?.errors ?? [];
  const reason = error?.message ?? `status ${status}`;
  if (RETRYABLE.has(status) || error?.extensions?.retryable === true) {
    const seconds = Number(response.headers.get('retry-after'));
    return retry(reason, Number.isFinite(seconds) ? seconds * 1_000 : undefined);
  }
  const isRejected = REJECTED.has(status);
  if (status === 401 || error?.extensions?.code === 'UNAUTHENTICATED') {
    const advice = 'Set GUDANG_TOKEN to a valid token with the scope stock:write';
    throw new CommandError(`${reason.replace(/\.$/, '')}. ${advice}`, { isRejected });
  }
  if (error !== undefined)
    throw new CommandError(`The gateway rejected the operation: ${reason}`, { isRejected });
  if (answer?.data == null) {
    throw new CommandError(
      `${url} answers with status ${status} and no GraphQL; check GATEWAY_URL`,
    );
  }
  return answer.data;
}

function parseAnswer<T>(text: string): Answer<T> | undefined {
  try {
    return JSON.parse(text) as Answer<T>;
  } catch {
    return undefined;
  }
}

/** Returns the reason of a failed `fetch`, which wraps it in an error of its own. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as {
    cause?: { code?: string; message?: string };
    message: string;
  };
  return cause?.code ?? cause?.message ?? message;
}

/** Reads the subject without verifying the token, which is the gateway's task. */
function subjectOf(token: string | undefined): string | undefined {
  try {
    const [, payload = ''] = (token ?? '').split('.');
    const { sub } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub?: unknown };
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
}

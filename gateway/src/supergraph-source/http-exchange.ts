import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { FetchError, toFetchError } from './fetch-error.ts';

/** Maximum size of a supergraph after decompression, in bytes. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Time-out of a request with its redirects and the whole body, in milliseconds. */
const TIMEOUT_MS = 10_000;

/** Connections to registries; through the proxies in HTTPS_PROXY, HTTP_PROXY and NO_PROXY. */
const dispatcher = new EnvHttpProxyAgent();

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

export type HttpResponse = Dispatcher.ResponseData;

/**
 * Sends a request without following redirects. It uses undici's `request`, because `fetch` accepts
 * a compressed body that is cut off.
 */
export function exchange(url: URL, { headers, ...rest }: HttpRequest): Promise<HttpResponse> {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return request(bare, {
    ...rest,
    dispatcher,
    headers: { 'user-agent': 'gudang-gateway', 'accept-encoding': 'gzip, br', ...headers },
  });
}

/** Returns a header of a response; the first one if it is repeated. */
export function headerOf({ headers }: HttpResponse, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/**
 * Reads a body up to a maximum size after decompression.
 * @param shown the address without credentials
 * @throws {FetchError} if the body is larger, or is not UTF-8
 */
export async function readText(
  shown: string,
  response: HttpResponse,
  maxBytes = MAX_BYTES,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of decompress(shown, response)) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      throw new FetchError(`${shown} answered with more than ${maxBytes / 1024 / 1024} MiB`, {
        advice: 'check the address in SUPERGRAPH',
      });
    }
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new FetchError(`${shown} answered with bytes that are not UTF-8`, {
      advice:
        'check the address in SUPERGRAPH; a compressed file needs the header Content-Encoding',
    });
  }
}

/** Some object stores return `aws-chunked`, the encoding of the upload, with the plain body. */
const PLAIN = new Set(['', 'identity', 'aws-chunked']);

function decompress(shown: string, response: HttpResponse): Readable {
  const { body } = response;
  const encoding = (headerOf(response, 'content-encoding') ?? '').trim().toLowerCase();
  if (PLAIN.has(encoding)) return body;
  const decoder =
    encoding === 'gzip' || encoding === 'x-gzip'
      ? createGunzip()
      : encoding === 'br'
        ? createBrotliDecompress()
        : undefined;
  if (!decoder) {
    throw new FetchError(`${shown} answered with the unknown encoding ${encoding.slice(0, 100)}`, {
      advice: 'only gzip and br are supported',
    });
  }
  body.once('error', (error) => decoder.destroy(error));
  decoder.once('close', () => body.destroy());
  return body.pipe(decoder);
}

/**
 * Runs a request, including the reading of its body, within a time.
 * @param shown the address without credentials
 * @param signal ends the request when the process stops
 * @throws {FetchError}
 */
export async function exchangeWithin<T>(
  shown: string,
  { signal, timeoutMs = TIMEOUT_MS }: { signal: AbortSignal; timeoutMs?: number | undefined },
  run: (within: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  const timer = setTimeout(stop, timeoutMs);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await run(abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) throw toFetchError(shown, error);
    throw new FetchError(`${shown} did not answer completely within ${timeoutMs / 1000} s`, {
      retryable: true,
      advice: 'check the server and the network',
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

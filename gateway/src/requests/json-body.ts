import { isUtf8 } from 'node:buffer';
import { parse } from 'content-type';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { badRequest } from '../errors/request-error.ts';

/** Size above which a body is read in its turn, in bytes. */
const LARGE_BYTES = 32 * 1024;
/** Pause after a large body, as a multiple of the time that reading it took. */
const PAUSE_FACTOR = 3;

/**
 * Makes a server read only JSON bodies, strictly: bytes that are not UTF-8, another charset and a
 * compressed body are rejected. Fastify alone would replace malformed bytes, so that the gateway would
 * run another text than the client has sent. Objects with the keys `__proto__` or
 * `constructor.prototype` are rejected with 400.
 *
 * Large bodies are read one at a time, with pauses: parsing and checking 256 KiB blocks the event loop
 * for 6 ms, and the bodies of many clients can arrive at the same time.
 * @param count counts a body; the returned promise rejects if the body must not be read
 */
export function acceptJsonBodies(
  app: FastifyInstance,
  count: (request: FastifyRequest, bytes: number) => Promise<void> | undefined,
): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  const large = new Turns();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    (request: FastifyRequest, body: Buffer, done) => {
      const refusal = refusalOf(request, body);
      if (refusal) {
        done(refusal);
        return;
      }
      const read = (): void => void parseJson(request, body.toString(), done);
      const readInTurn = (): void => {
        if (body.length > LARGE_BYTES) large.run(read);
        else read();
      };
      const counted = count(request, body.length);
      if (counted !== undefined) counted.then(readInTurn, done);
      else readInTurn();
    },
  );
}

/** Runs functions one at a time, with pauses. */
class Turns {
  readonly #waiting: (() => void)[] = [];
  #isBusy = false;

  run(work: () => void): void {
    if (this.#isBusy) this.#waiting.push(work);
    else this.#start(work);
  }

  #start(work: () => void): void {
    this.#isBusy = true;
    const startedAt = performance.now();
    try {
      work();
    } finally {
      const ms = performance.now() - startedAt;
      // Timers that are due run in one iteration of the event loop, so the timer alone is no pause.
      setTimeout(() => setImmediate(() => this.#startNext()), ms * PAUSE_FACTOR);
    }
  }

  #startNext(): void {
    const next = this.#waiting.shift();
    if (next) this.#start(next);
    else this.#isBusy = false;
  }
}

function refusalOf({ headers }: FastifyRequest, body: Buffer) {
  const { 'content-type': type, 'content-encoding': encoding } = headers;
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    return badRequest('The body must not be compressed: send it without Content-Encoding', 415);
  }
  if (type !== 'application/json' && !isUtf8Charset(type)) {
    return badRequest('The body must be encoded in UTF-8: send it without another charset', 415);
  }
  return isUtf8(body) ? undefined : badRequest('The body is not valid UTF-8');
}

function isUtf8Charset(type: string | undefined): boolean {
  const { charset = 'utf-8' } = type === undefined ? {} : parse(type).parameters;
  return /^utf-?8$/i.test(charset);
}

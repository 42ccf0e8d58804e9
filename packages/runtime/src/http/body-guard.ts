import type { FastifyInstance } from 'fastify';

/**
 * Maximum length of a `Content-Type` header, in characters. Libraries that parse this header, such as
 * whatwg-mimetype in Apollo Server, take quadratic time: 200 ms for 14,000 characters.
 */
const CONTENT_TYPE_LENGTH = 256;

/** Number of chunks of a body that may have any size. */
const FREE_CHUNKS = 1_000;

/** Minimum average size of further chunks, in bytes. Each chunk costs about 2 µs, also if it is small. */
const CHUNK_BYTES = 64;

/** Error for a request whose headers or body would cost too much CPU time to read. */
class CostlyBody extends Error {
  readonly code = 'BAD_REQUEST';
  readonly statusCode = 400;
}

/** Rejects requests with a long `Content-Type`, and bodies in many tiny chunks, with status 400. */
export function guardBodies(app: FastifyInstance): void {
  app.addHook('onRequest', ({ headers }, _reply, done) => {
    const { length } = headers['content-type'] ?? '';
    if (length <= CONTENT_TYPE_LENGTH) done();
    else done(new CostlyBody(`Content-Type is longer than ${CONTENT_TYPE_LENGTH} characters`));
  });
  app.addHook('preParsing', ({ headers, method, raw }, reply, payload, done) => {
    // Without chunks, the operating system delivers a body in parts of about a kilobyte or more. The
    // body of a GET or HEAD is not read.
    if (headers['transfer-encoding'] === undefined || /^(?:GET|HEAD)$/.test(method)) return done();
    let chunks = 0;
    let bytes = 0;
    const count = (chunk: Buffer): void => {
      chunks += 1;
      bytes += chunk.length;
      if (chunks <= FREE_CHUNKS || bytes >= chunks * CHUNK_BYTES) return;
      payload.removeListener('data', count);
      // A request that was rejected for another reason, for example with 415, has no reader. An
      // error without a listener would end the process.
      if (payload.listenerCount('error') === 0) {
        raw.socket.destroySoon();
        return;
      }
      // The rest of the body is not read.
      void reply.header('connection', 'close');
      payload.emit(
        'error',
        new CostlyBody(
          `The body's chunks are too small: send at least ${CHUNK_BYTES} bytes in each`,
        ),
      );
    };
    payload.on('data', count);
    done();
  });
}

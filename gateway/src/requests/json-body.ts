import { isUtf8 } from 'node:buffer';
import { parse } from 'content-type';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { badRequest } from '../errors/request-error.ts';

/**
 * Makes a server read only JSON bodies, strictly: bytes that are not UTF-8, another charset and a
 * compressed body are rejected. Fastify alone would replace malformed bytes, so that the gateway would
 * run another text than the client has sent. Objects with the keys `__proto__` or
 * `constructor.prototype` are rejected with 400.
 */
export function acceptJsonBodies(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    (request: FastifyRequest, body: Buffer, done) => {
      const refusal = refusalOf(request, body);
      if (refusal) done(refusal);
      else void parseJson(request, body.toString(), done);
    },
  );
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

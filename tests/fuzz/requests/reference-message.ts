import { type ReferenceRun, Refused } from './reference-operation.ts';
import { interpretParameters, type Known, type Parameters } from './reference-request.ts';

const MESSAGE_LIMIT = 64 * 1024;

/**
 * Interprets a subscribe message of graphql-transport-ws, independently of the gateway's code.
 * @param doubts reasons why the gateway may refuse a message that is valid here; doubts are added
 * @throws {Refused}
 */
export function interpretMessage(bytes: Buffer, known: Known, doubts: string[]): ReferenceRun {
  if (bytes.length > MESSAGE_LIMIT) throw new Refused('too large');
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes)) throw new Refused('the message is not UTF-8');
  let message: Record<string, unknown>;
  try {
    message = Object(JSON.parse(text));
  } catch {
    throw new Refused('the message is not JSON');
  }
  const { id, type, payload } = message;
  if (type !== 'subscribe' || typeof id !== 'string' || id === '')
    throw new Refused('no subscribe');
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) {
    throw new Refused('the payload is no object');
  }
  const given = payload as Parameters;
  // graphql-ws requires a text, also with the id of a persisted query.
  if (typeof given['query'] !== 'string') doubts.push('a message without a text');
  return interpretParameters(given, known, doubts);
}

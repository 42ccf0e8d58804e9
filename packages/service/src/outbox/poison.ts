import kafkajs from 'kafkajs';

const REFUSED_FOR_WHAT_IT_IS = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'CORRUPT_MESSAGE',
]);

/** Whether the broker refused the record itself, so that sending it again cannot help. */
export function isPoison(error: unknown): boolean {
  // Node finds no names of errors in kafkajs, a CommonJS module that spreads them into its exports.
  if (error instanceof kafkajs.KafkaJSProtocolError) return REFUSED_FOR_WHAT_IT_IS.has(error.type);
  return error instanceof Error && error.cause !== undefined && isPoison(error.cause);
}

import kafkajs from 'kafkajs';

/** The broker's own names of what went wrong, such as UNKNOWN_TOPIC_OR_PARTITION. */
export function protocolErrors(error: unknown): readonly string[] {
  // Node finds no names of errors in kafkajs, a CommonJS module that spreads them into its exports.
  if (error instanceof kafkajs.KafkaJSProtocolError) return [error.type];
  if (error instanceof kafkajs.KafkaJSAggregateError) return error.errors.flatMap(protocolErrors);
  return error instanceof Error && error.cause !== undefined ? protocolErrors(error.cause) : [];
}

import type { Kafka } from 'kafkajs';
import type { Command } from './cli.ts';
import type { DeadLetterEntry } from './dead-letter.ts';
import { handleDeadLetters, readDeadLetters } from './dead-letter-topic.ts';
import { renderLetter, renderList, renderOrigin } from './render.ts';

/** Thrown if a command names a dead letter that does not exist. The message is for the operator. */
export class CommandError extends Error {}

/**
 * Runs a command.
 * @param prefix KAFKA_TOPIC_PREFIX
 * @param knownTopics the consumed topics, without the prefix
 * @returns the text to print
 * @throws {CommandError} if the dead letter does not exist
 */
export async function runCommand(
  client: Kafka,
  { prefix, knownTopics }: { prefix: string; knownTopics: readonly string[] },
  command: Command,
): Promise<string> {
  // `list` shows topics with their prefix, so that a topic can be given with and without it.
  const nameOf = (topic: string): string =>
    knownTopics.some((known) => prefix + known === topic) ? topic : prefix + topic;
  const read = (topic: string) => readDeadLetters(client, nameOf(topic));
  if (command.verb === 'list') {
    const found: DeadLetterEntry[] = [];
    for (const topic of command.topics) found.push(...(await read(topic)));
    return found.length === 0 ? 'no dead letters' : renderList(found);
  }
  const entries = await read(command.topic);
  const { offset } = command;
  const chosen =
    offset === 'all' ? entries : entries.filter(({ offsets }) => offsets.includes(offset));
  const [first] = chosen;
  if (first === undefined) {
    if (offset === 'all') return 'no dead letters';
    throw new CommandError(
      `${command.topic} has no unhandled dead letter at offset ${offset}; see list`,
    );
  }
  if (command.verb === 'show') return renderLetter(first);
  const verdict = command.verb === 'replay' ? 'replayed' : 'dropped';
  const isBatch = ({ origin }: DeadLetterEntry): boolean => origin.lastOffset !== undefined;
  const batches = verdict === 'replayed' ? chosen.filter(isBatch) : [];
  const handled = chosen.filter((entry) => !batches.includes(entry));
  await handleDeadLetters(client, handled, verdict);
  return [
    ...handled.map(({ origin }) => `${verdict} ${renderOrigin(origin)}`),
    ...batches.map(
      ({ origin }) => `not replayed, because it is a whole batch: ${renderOrigin(origin)}`,
    ),
  ].join('\n');
}

import type { Kafka } from 'kafkajs';
import type { Command } from './cli.ts';
import type { DeadLetterEntry } from './dead-letter.ts';
import { handleDeadLetters, readDeadLetters } from './dead-letter-topic.ts';
import { renderLetter, renderList } from './render.ts';

/** Thrown if a command names a dead letter that does not exist. The message is for the operator. */
export class CommandError extends Error {}

/**
 * Runs a command.
 * @returns the text to print
 * @throws {CommandError} if the dead letter does not exist
 */
export async function runCommand(client: Kafka, prefix: string, command: Command): Promise<string> {
  const read = (topic: string) => readDeadLetters(client, withPrefix(prefix, topic));
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
  await handleDeadLetters(client, chosen, verdict);
  return chosen
    .map(({ origin }) => `${verdict} ${origin.topic} ${origin.partition}/${origin.offset}`)
    .join('\n');
}

function withPrefix(prefix: string, topic: string): string {
  return topic.startsWith(prefix) ? topic : prefix + topic;
}

import { resolve } from 'node:path';
import { createKafkaClient, kafkaProblem } from '@gudang/kafka';
import { kafkaSettings } from '@gudang/kafka/settings';
import { createLogger } from '@gudang/runtime';
import { readSettings } from '@gudang/runtime/settings';
import pg from 'pg';
import { MoveInError, parseCommand } from './cli.ts';
import { moveIn } from './move-in.ts';

/** Retries of a request to Kafka, which take about 2 s. */
const RETRIES = 5;

/**
 * Runs the command `move-in`.
 * @param words the arguments after the program's name
 * @throws {MoveInError} if the move cannot be made; the message says what to do
 * @throws {SettingsError} if a setting of the connection with Kafka is invalid
 */
export async function runCommand(words: readonly string[]): Promise<void> {
  const given = parseCommand(words);
  const folder = process.env['INIT_CWD'] ?? process.cwd();
  const report = given.report === undefined ? undefined : resolve(folder, given.report);
  const settings = readSettings(kafkaSettings, { ...process.env, KAFKA_BROKERS: given.kafka });
  const log = createLogger('move-in', 'silent');
  const client = createKafkaClient('move-in', settings, log, RETRIES);
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const newGroup = `${settings.KAFKA_TOPIC_PREFIX}stock-subgraph`;
  try {
    await moveIn({ ...given, report }, { client, newGroup, env: process.env, print });
  } catch (error) {
    if (error instanceof pg.DatabaseError || isLostConnection(error)) {
      throw new MoveInError(`PostgreSQL: ${(error as Error).message}. Nothing is changed`);
    }
    if (!(error as Error).name.startsWith('KafkaJS')) throw error;
    const { reason, advice } = kafkaProblem(error, settings.KAFKA_BROKERS);
    const text = `${reason}: ${advice} (${(error as Error).message})`;
    throw new MoveInError(text.replaceAll('KAFKA_BROKERS', '--kafka'));
  }
}

/** Whether a statement failed because its connection was lost. pg gives this error no code. */
function isLostConnection(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Connection terminated');
}

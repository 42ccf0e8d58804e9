import { SHARED_TOPICS } from '@gudang/events';
import { createKafkaClient, kafkaProblem } from '@gudang/kafka';
import { kafkaSettings } from '@gudang/kafka/settings';
import { createLogger } from '@gudang/runtime';
import { readSettings, SettingsError } from '@gudang/runtime/settings';
import { parseCommand, usage } from './cli.ts';
import { CommandError, runCommand } from './run-command.ts';

const command = parseCommand(process.argv.slice(2), SHARED_TOPICS);
if (command === undefined) {
  process.stderr.write(usage(SHARED_TOPICS));
  process.exit(2);
}
try {
  // The default is the broker of `npm start`.
  const KAFKA_BROKERS = process.env['KAFKA_BROKERS'] || '127.0.0.1:9092';
  const settings = readSettings(kafkaSettings, { ...process.env, KAFKA_BROKERS });
  const silent = createLogger('dead-letters', 'silent');
  const client = createKafkaClient('dead-letters', settings, silent, 4);
  try {
    const names = { prefix: settings.KAFKA_TOPIC_PREFIX, knownTopics: SHARED_TOPICS };
    process.stdout.write(`${await runCommand(client, names, command)}\n`);
  } catch (error) {
    const { reason, advice } = kafkaProblem(error, settings.KAFKA_BROKERS);
    const hint = `${reason}: ${advice} (${(error as Error).message})`;
    process.stderr.write(`${error instanceof CommandError ? error.message : hint}\n`);
    process.exit(1);
  }
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
// kafkajs's remaining timers would keep the process running for seconds.
process.exit(0);

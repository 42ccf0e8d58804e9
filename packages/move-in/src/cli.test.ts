import { describe, expect, it } from 'vitest';
import { parseCommand } from './cli.ts';

const REQUIRED = '--order-db postgres://h/o --stock-db postgresql://h/s --kafka h:9092 --group g';
const parse = (words: string) => parseCommand(words.split(' '));

describe('parseCommand', () => {
  it('parses a command', () => {
    expect(parse(REQUIRED)).toMatchObject({ topic: 'order_created', dryRun: false });
    expect(parse(`${REQUIRED} --dry-run --unsent pending --topic t`)).toMatchObject({
      ...{ dryRun: true, unsent: 'pending', topic: 't', group: 'g', kafka: 'h:9092' },
    });
  });

  it.each([
    ['--kafka h:9092', '--order-db, --stock-db, --group must be given'],
    [
      REQUIRED.replace('postgres:', 'mysql:'),
      '--order-db must be the URL of a PostgreSQL database',
    ],
    [`${REQUIRED} --unsent maybe`, '--unsent must be pending or confirmed'],
    [`${REQUIRED} --force`, "Unknown option '--force'"],
  ])('rejects %s', (words, message) => {
    expect(() => parse(words)).toThrow(message);
  });
});

import { describe, expect, it } from 'vitest';
import { parseCommand } from './cli.ts';

const parse = (words: string) => parseCommand(words === '' ? [] : words.split(' '));

describe('parseCommand', () => {
  it.each([
    [
      'import a.csv --mode create',
      { verb: 'import', mode: 'create', format: 'csv', newRun: false },
    ],
    ['import a.NDJSON --mode set', { mode: 'set', format: 'ndjson' }],
    ['import a.txt --mode adjust --format csv --batch 7 --new-run', { batch: 7, newRun: true }],
    ['import a.csv --mode set --run x', { run: 'x' }],
    ['export', { verb: 'export', file: undefined, format: 'csv' }],
    ['export b.jsonl', { file: 'b.jsonl', format: 'ndjson' }],
  ])('parses %s', (words, command) => {
    expect(parse(words)).toMatchObject(command);
  });

  it.each([
    ['', 'the command must be import or export'],
    ['import --mode set', 'import needs a file'],
    ['import a.csv', '--mode must be create, set or adjust'],
    ['import a.csv b.csv --mode set', '"b.csv" is one file too many'],
    ['import a.csv --mode set --batch 1001', '--batch must be a whole number from 1 to 1000'],
    ['import a.csv --mode set --new-run --run x', 'use either --new-run or --run'],
    ['import a.csv --mode set --format xml', '--format must be csv or ndjson'],
    ['import a.csv --mode set --dry-run', "Unknown option '--dry-run'"],
    ['export --mode set', 'export has no option --mode'],
  ])('rejects %j', (words, message) => {
    expect(() => parse(words)).toThrow(message);
  });
});

import { expect, test } from 'vitest';
import { readServiceLine } from './service-line.ts';

test('an everyday line is not shown', () => {
  expect(readServiceLine('{"level":30,"msg":"listening"}')).toBeUndefined();
  expect(readServiceLine('  ')).toBeUndefined();
});

test.each([
  [40, 'warn'],
  [50, 'error'],
  [60, 'fatal'],
] as const)('level %i is a %s', (level, name) => {
  const line = JSON.stringify({ level, msg: 'Kafka is away' });
  expect(readServiceLine(line)).toEqual({ level: name, text: 'Kafka is away' });
});

test('an error’s own message is added once', () => {
  const line = (msg: string) => JSON.stringify({ level: 50, msg, err: { message: 'refused' } });
  expect(readServiceLine(line('No database'))?.text).toBe('No database: refused');
  expect(readServiceLine(line('refused'))?.text).toBe('refused');
});

test.each(['Error: boom', '{not json', '    at main.js:1:1'])('%j is shown as it is', (line) => {
  expect(readServiceLine(line)).toEqual({ text: line });
});

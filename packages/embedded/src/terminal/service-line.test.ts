import { createOutageLog } from '@gudang/runtime';
import { describe, expect, it } from 'vitest';
import { readServiceLine } from './service-line.ts';

describe('readServiceLine', () => {
  it('hides lines below level warn', () => {
    expect(readServiceLine('{"level":30,"msg":"listening"}')).toBeUndefined();
    expect(readServiceLine('  ')).toBeUndefined();
  });

  it.each([
    [40, 'warn'],
    [50, 'error'],
    [60, 'fatal'],
  ] as const)('names level %i %s', (level, name) => {
    const line = JSON.stringify({ level, msg: 'Kafka is unavailable' });
    expect(readServiceLine(line)).toEqual({ level: name, text: 'Kafka is unavailable' });
  });

  it('shows the end of an outage', () => {
    const lines: string[] = [];
    const log = (level: number) => (msg: string) => lines.push(JSON.stringify({ level, msg }));
    const outage = createOutageLog(
      { info: log(30), warn: log(40) } as unknown as Parameters<typeof createOutageLog>[0],
      { what: 'Kafka at 127.0.0.1:9092' },
    );
    outage.report({ reason: 'Kafka at 127.0.0.1:9092 does not answer', advice: 'start it' });
    outage.end();
    expect(lines.map(readServiceLine)).toEqual([
      { level: 'warn', text: expect.stringContaining('does not answer') },
      { text: 'Kafka at 127.0.0.1:9092 answers again' },
    ]);
  });

  it('shows that a stopped consumer runs again', () => {
    const msg = 'Consumer of order_created runs again';
    expect(readServiceLine(JSON.stringify({ level: 30, msg }))).toEqual({ text: msg });
  });

  it('appends the message of an error once', () => {
    const line = (msg: string) => JSON.stringify({ level: 50, msg, err: { message: 'refused' } });
    expect(readServiceLine(line('No database'))?.text).toBe('No database: refused');
    expect(readServiceLine(line('refused'))?.text).toBe('refused');
  });

  it.each(['Error: boom', '{not json', '    at main.js:1:1'])('shows %j unchanged', (line) => {
    expect(readServiceLine(line)).toEqual({ text: line });
  });
});

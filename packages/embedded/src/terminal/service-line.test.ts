import { createLogger, createOutageLog } from '@gudang/runtime';
import { describe, expect, it } from 'vitest';
import { adaptToOwnServers, type OwnServer, readServiceLine } from './service-line.ts';

/** Returns the lines that a service writes. */
function logged(write: (log: ReturnType<typeof createLogger>) => void): string[] {
  const lines: string[] = [];
  write(createLogger('order-subgraph', 'debug', { write: (line) => void lines.push(line) }));
  return lines;
}

const PROBLEM = { reason: 'Kafka at 127.0.0.1:9092 does not answer', advice: 'start it' };

describe('readServiceLine', () => {
  it('hides lines below level warn', () => {
    const lines = logged((log) => {
      log.info('listening');
      log.debug('connected');
    });
    expect(lines).toHaveLength(2);
    for (const line of [...lines, '  ']) expect(readServiceLine(line)).toBeUndefined();
  });

  it.each(['warn', 'error', 'fatal'] as const)('shows a line at level %s', (level) => {
    const [line = ''] = logged((log) => log[level]('Kafka is unavailable'));
    expect(readServiceLine(line)).toEqual({ level, text: 'Kafka is unavailable' });
  });

  it('shows an outage with its advice, and its end', () => {
    const lines = logged((log) => {
      const outage = createOutageLog(log, { what: 'Kafka at 127.0.0.1:9092' });
      outage.report(PROBLEM);
      outage.end();
    });
    expect(lines.map(readServiceLine)).toEqual([
      {
        level: 'warn',
        text: 'Kafka at 127.0.0.1:9092 does not answer: start it; retrying',
        advice: 'start it',
      },
      { text: 'Kafka at 127.0.0.1:9092 answers again' },
    ]);
  });

  it('shows that a stopped consumer runs again', () => {
    const text = 'Consumer of order_created runs again';
    expect(logged((log) => log.info(text)).map(readServiceLine)).toEqual([{ text }]);
  });

  it('appends the message of an error once', () => {
    const text = (msg: string) => {
      const [line = ''] = logged((log) => log.error({ err: new Error('refused') }, msg));
      return readServiceLine(line)?.text;
    };
    expect(text('No database')).toBe('No database: refused');
    expect(text('refused')).toBe('refused');
  });

  it.each(['Error: boom', '{not json', '    at main.js:1:1'])('shows %j unchanged', (line) => {
    expect(readServiceLine(line)).toEqual({ text: line });
  });
});

describe('adaptToOwnServers', () => {
  const [OUTAGE = ''] = logged((log) =>
    createOutageLog(log, { what: 'Kafka', meanwhile: '. Orders are accepted' }).report(PROBLEM),
  );
  const outage = readServiceLine(OUTAGE) as NonNullable<ReturnType<typeof readServiceLine>>;
  const kafka = (isRecovering: boolean): OwnServer => ({
    address: '127.0.0.1:9092',
    logFile: '.gudang/logs/kafka.log',
    isRecovering,
  });

  it('replaces the advice to start a server that npm start runs', () => {
    expect(adaptToOwnServers(outage, [kafka(false)])).toEqual({
      level: 'warn',
      text: 'Kafka at 127.0.0.1:9092 does not answer: see .gudang/logs/kafka.log. Orders are accepted; retrying',
    });
  });

  it('hides the outage of a server that is being restarted, but not its end', () => {
    expect(adaptToOwnServers(outage, [kafka(true)])).toBeUndefined();
    const end = { text: 'Kafka at 127.0.0.1:9092 answers again' };
    expect(adaptToOwnServers(end, [kafka(true)])).toBe(end);
  });

  it('changes no line about another server', () => {
    expect(adaptToOwnServers(outage, [])).toBe(outage);
    const other = { level: 'warn' as const, text: 'the subgraph stock is unreachable' };
    expect(adaptToOwnServers(other, [kafka(true)])).toBe(other);
  });
});

import { expect, it } from 'vitest';
import { createLogger } from './logger.ts';

function logged(write: (log: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  write(createLogger('test', 'debug', { write: (line) => void lines.push(line) }));
  return lines.join('');
}

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzaXRpIn0.abc-def_ghi';
const HUSH = 'hush-hush';

const secrets: [string, (log: ReturnType<typeof createLogger>) => void][] = [
  ['a field', (log) => log.info({ password: HUSH, token: HUSH, authorization: HUSH })],
  [
    'a field below',
    (log) => log.info({ request: { headers: { authorization: HUSH, cookie: HUSH } } }),
  ],
  ['the header of the subgraph secret', (log) => log.info({ headers: { 'gudang-secret': HUSH } })],
  ['a URL', (log) => log.warn({ url: `postgresql://user:${HUSH}@db/x` }, 'away')],
  ['a URL in a message', (log) => log.warn(`no answer of https://user:${HUSH}@broker:9092/x?y`)],
  ['a URL without a user', (log) => log.warn(`redis://:${HUSH}@cache`)],
  [
    'a URL in an error, its cause and its stack',
    (log) => {
      const cause = new Error(`at mysql://root:${HUSH}@h`);
      log.error({ err: new Error(`connect postgresql://u:${HUSH}@h:5432/x`, { cause }) });
    },
  ],
  ['a header in a message', (log) => log.info(`sent Authorization: Bearer ${HUSH}-hush`)],
];

it.each(secrets)('redacts a secret in %s', (_what, write) => {
  const text = logged(write);
  expect(text).not.toContain(HUSH);
  expect(text).toContain('[Redacted]');
});

it('redacts tokens in fields of any name', () => {
  const text = logged((log) => log.info({ note: TOKEN }, `it said ${TOKEN} once`));
  expect(text).not.toContain('abc-def_ghi');
  expect(JSON.parse(text).msg).toBe('it said [Redacted] once');
});

it('redacts a token within a word, but no text that only begins like a token', () => {
  expect(JSON.parse(logged((log) => log.info(`x-${TOKEN}`))).msg).toBe('x-[Redacted]');
  const note = 'eyJhbGci.eyJzdWIi and .eyJzdWIi.x';
  expect(JSON.parse(logged((log) => log.info(note))).msg).toBe(note);
});

it('writes the level once, as a word, and the time as ISO 8601', () => {
  const entry = JSON.parse(logged((log) => log.warn({ part: 'feed' }, 'late')));
  expect(Object.keys(entry)).toEqual(['level', 'time', 'pid', 'hostname', 'name', 'part', 'msg']);
  expect(entry).toMatchObject({ level: 'warn', name: 'test', part: 'feed', msg: 'late' });
  expect(new Date(entry.time).toISOString()).toBe(entry.time);
});

it('changes nothing else', () => {
  const note = 'a@b.example asked for https://h:9092/a/b@2 and kafka://h';
  expect(JSON.parse(logged((log) => log.info({ note, tokens: 5 }, note)))).toMatchObject({
    note,
    tokens: 5,
    msg: note,
  });
});

import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  addresses,
  choice,
  flag,
  integer,
  list,
  port,
  postgresUrl,
  readSettings,
  SettingsError,
  type SettingsTable,
} from './settings.ts';

const table = {
  PORT: { description: 'The port', parse: port, default: '8000' },
  COLOUR: { description: 'The colour', parse: choice('red', 'blue'), default: 'red' },
  DATABASE_URL: {
    description: 'The database',
    parse: postgresUrl,
    secret: true,
    example: 'postgresql://127.0.0.1/x',
  },
  NOTE: { description: 'A note', parse: z.string(), optional: true },
} as const satisfies SettingsTable;
const DATABASE_URL = 'postgresql://user:hush@127.0.0.1/x';

function problems(given: SettingsTable, environment: Record<string, string>): readonly string[] {
  try {
    readSettings(given, environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
  }
  return [];
}

describe('readSettings', () => {
  it('trims values, and uses defaults for unset or empty variables', () => {
    const environment = { PORT: ' 99 ', COLOUR: '', DATABASE_URL, OTHER: 'x' };
    expect(readSettings(table, environment)).toEqual({ PORT: 99, COLOUR: 'red', DATABASE_URL });
  });

  it('reports all problems together and does not print secrets', () => {
    const bad = { PORT: '70000', COLOUR: 'green', DATABASE_URL: 'mysql://user:hush@host/x' };
    expect(problems(table, bad)).toEqual([
      'PORT: "70000" is not allowed; a whole number from 0 to 65535',
      'COLOUR: "green" is not allowed; one of red, blue',
      'DATABASE_URL: the value given is not allowed; a URL that starts with postgresql:// or postgres://',
    ]);
    expect(problems(table, {})).toEqual([
      'DATABASE_URL is missing: The database, for example postgresql://127.0.0.1/x',
    ]);
  });

  it('reports an unreadable certificate file of a database URL', () => {
    const urlOf = (file: string) => `${DATABASE_URL}?sslmode=verify-full&sslrootcert=${file}`;
    expect(problems(table, { DATABASE_URL: urlOf('/nowhere.pem') })).toEqual([
      'DATABASE_URL: the value given is not allowed; its sslrootcert must name a readable file',
    ]);
    expect(problems(table, { DATABASE_URL: urlOf(fileURLToPath(import.meta.url)) })).toEqual([]);
  });

  it('reports settings that contradict each other together with other problems', () => {
    const pair: SettingsTable = {
      ...table,
      LEAST: {
        description: 'The least',
        parse: integer(0, 9),
        default: '5',
        check: ({ LEAST, MOST }) =>
          Number(LEAST) > Number(MOST) ? 'it must not be above MOST' : undefined,
      },
      MOST: { description: 'The most', parse: integer(0, 9), default: '1' },
    };
    expect(problems(pair, { DATABASE_URL, PORT: 'x' })).toEqual([
      'PORT: "x" is not allowed; a whole number from 0 to 65535',
      'LEAST: it must not be above MOST',
    ]);
    expect(problems(pair, { DATABASE_URL, LEAST: '1' })).toEqual([]);
  });
});

describe('the parsers', () => {
  const takes = (parse: z.ZodType<unknown, string>, text: string) => parse.safeParse(text).success;

  it('accept addresses with ports', () => {
    expect(addresses.parse('a:1, [::1]:9092 ,b.c:65535')).toEqual([
      'a:1',
      '[::1]:9092',
      'b.c:65535',
    ]);
    for (const text of ['', ',', 'a', 'a:', 'a:0', 'a:65536', 'a:1,b', 'a b:1', 'http://a:1']) {
      expect(takes(addresses, text), text).toBe(false);
    }
  });

  it('accept whole numbers within their limits', () => {
    expect(integer(-1, 10).parse('-1')).toBe(-1);
    for (const text of ['-2', '11', '1.5', '1e1', '0x1', ' 1', '9'.repeat(30)]) {
      expect(takes(integer(-1, 10), text), text).toBe(false);
    }
  });

  it('accept true, false and lists', () => {
    expect([flag.parse('true'), flag.parse('false'), takes(flag, 'yes')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(list.parse(' a, ,b ')).toEqual(['a', 'b']);
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Format, type RawRow, readRows } from './format.ts';
import { checkHeader, parseRow } from './import-row.ts';
import { encodeHeader, encodeRow } from './write-row.ts';

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stock-files-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(content: string | Buffer, format: Format = 'csv'): Promise<RawRow[]> {
  files += 1;
  const path = join(folder, String(files));
  await writeFile(path, content);
  return rowsOf(path, format);
}
async function rowsOf(path: string, format: Format): Promise<RawRow[]> {
  const rows: RawRow[] = [];
  for await (const row of readRows(path, format)) rows.push(row);
  return rows;
}
const values = (rows: readonly RawRow[]) => rows.map((row) => row.values);

describe('readRows', () => {
  it.each([
    ['commas', 'id,name,quantity\na,"Kopi, Gayo",5\n'],
    ['semicolons', 'id;name;quantity\na;Kopi, Gayo;5\n'],
    ['tabs', 'id\tname\tquantity\na\tKopi, Gayo\t5\n'],
    ['a byte order mark and CRLF', '\ufeffid,name,quantity\r\na,"Kopi, Gayo",5\r\n'],
    ['blanks around the cells', 'id , name,quantity\n a ,"Kopi, Gayo" , 5\n'],
    ['empty lines and no last line break', 'id,name,quantity\n\na,"Kopi, Gayo",5'],
  ])('reads CSV with %s', async (_name, content) => {
    expect(values(await read(content))).toEqual([{ id: 'a', name: 'Kopi, Gayo', quantity: '5' }]);
  });

  it('reports a row with another number of cells and reads the rows after it', async () => {
    const rows = await read('id,name\na,A,1\nb,B\n');
    expect(rows[0]?.unreadable).toBe('the row has 3 cells; the header has 2');
    expect(rows[1]).toEqual({ number: 2, values: { id: 'b', name: 'B' } });
  });

  it.each([
    ['an unclosed quote', 'id,name\na,"A\nb,B\n', /is not CSV: Quote Not Closed/],
    ['another encoding', Buffer.from('id,name\na,Caf\u00e9\n', 'latin1'), /is not UTF-8/],
  ])('rejects a file with %s', async (_name, content, message) => {
    await expect(read(content)).rejects.toThrow(message);
  });

  it('rejects a missing file', async () => {
    const rows = rowsOf(join(folder, 'missing'), 'csv');
    await expect(rows).rejects.toThrow(/cannot be read: ENOENT/);
  });

  it('reads NDJSON and reports lines that are no objects', async () => {
    const rows = await read('{"id":"a","name":null}\n\nno JSON\n[1]\n{"id":7}', 'ndjson');
    expect(rows).toEqual([
      { number: 1, values: { id: 'a' } },
      { number: 2, values: { line: 'no JSON' }, unreadable: 'the line is not a JSON object' },
      { number: 3, values: { line: '[1]' }, unreadable: 'the line is not a JSON object' },
      { number: 4, values: { id: 7 } },
    ]);
  });

  it.each(['csv', 'ndjson'] as const)(
    'reads every text that %s rows are written with',
    async (format) => {
      const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
      const row = fc.record({ id: text, name: text });
      await fc.assert(
        fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 5 }), async (rows) => {
          const columns = ['id', 'name'];
          const lines = rows.map((one) => encodeRow(format, columns, one));
          const found = await read(encodeHeader(format, columns) + lines.join(''), format);
          expect(values(found)).toEqual(rows);
        }),
        { numRuns: 20, seed: 18 },
      );
    },
    30_000,
  );
});

describe('checkHeader', () => {
  it('finds missing, unknown and repeated columns', () => {
    expect(checkHeader('create', ['name', 'price', 'name', 'version'])).toEqual({
      ignored: ['price'],
      missing: ['quantity'],
      repeated: ['name'],
    });
  });
});

describe('parseRow', () => {
  const parse = (mode: 'create' | 'set' | 'adjust', row: Readonly<Record<string, unknown>>) =>
    parseRow(mode, { number: 1, values: row }).parsed;

  it.each([
    ['create', { id: 'a', name: 'A', quantity: '5' }, { id: 'a', name: 'A', quantity: 5 }],
    ['create', { id: 7, name: 'A', quantity: 5, price: 1 }, { id: '7', name: 'A', quantity: 5 }],
    ['set', { id: 'a', quantity: '+5' }, { id: 'a', quantity: 5 }],
    ['set', { id: 'a', name: 'B', expectedVersion: 3 }, { id: 'a', name: 'B', expectedVersion: 3 }],
    ['adjust', { id: 'a', delta: '-5', reason: 'count' }, { id: 'a', delta: -5, reason: 'count' }],
  ] as const)('parses a row to %s: %j', (mode, row, input) => {
    expect(parse(mode, row)).toEqual({ input });
  });

  it.each([
    ['create', {}, 'name is missing; quantity is missing'],
    ['create', { name: 'A', quantity: '1,000' }, 'quantity "1,000" is not a whole number'],
    ['create', { name: 'A', quantity: 1.5 }, 'quantity 1.5 is not a whole number'],
    ['create', { name: ['A'], quantity: 1 }, 'name ["A"] is not a text'],
    ['set', { id: 'a' }, 'name and quantity are missing'],
    ['set', { id: 'a', quantity: '2147483648' }, 'from -2147483648 to 2147483647'],
    ['adjust', { id: 'a', delta: '' }, 'delta "" is not a whole number'],
    ['adjust', { delta: 1e3 }, 'id is missing'],
  ] as const)('refuses a row to %s: %j', (mode, row, message) => {
    expect(parse(mode, row)).toEqual({
      refusal: { code: 'UNREADABLE', message: expect.stringContaining(message) },
    });
  });
});

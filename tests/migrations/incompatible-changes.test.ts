import { expect, it } from 'vitest';
import { brokenPromises } from './broken-promises.ts';

const before = new Map([
  ['column orders.id', 'uuid, required'],
  ['column orders.colour', 'text, optional'],
  ['unique index orders: orders_key (key)', 'btree (key)'],
  ['label order_status.PENDING', 'there'],
]);

const changed = (...changes: [string, string | undefined][]) => {
  const after = new Map(before);
  for (const [name, is] of changes) {
    if (is === undefined) after.delete(name);
    else after.set(name, is);
  }
  return after;
};

it.each<[what: string, change: [string, string | undefined]]>([
  ['an optional column', ['column orders.note', 'text, optional']],
  ['a column with a default', ['column orders.note', 'text, never null']],
  ['a column that may be left out from now on', ['column orders.id', 'uuid, never null']],
  ['a new table, whatever it demands', ['column notes.id', 'uuid, required']],
  ['a constraint of a new table', ['constraint notes: notes_check (id)', 'CHECK (true)']],
  ['a constraint of new columns', ['constraint orders: note_check (note)', 'CHECK (true)']],
  ['a label', ['label order_status.HELD', 'there']],
])('expands: %s', (_what, change) => {
  expect(brokenPromises({ before, after: changed(change), sql: '' })).toEqual([]);
});

it.each<[what: string, change: [string, string | undefined]]>([
  ['a column taken away', ['column orders.colour', undefined]],
  ['another type', ['column orders.colour', 'integer, optional']],
  ['a column that may be null from now on', ['column orders.id', 'uuid, optional']],
  ['a column that may not be null any more', ['column orders.colour', 'text, never null']],
  ['a required column', ['column orders.note', 'text, required']],
  [
    'a constraint on what was there',
    ['constraint orders: orders_check (id note)', 'CHECK (id > 0)'],
  ],
  ['a trigger on what was there', ['trigger orders: stop', 'CREATE TRIGGER stop']],
  ['an index that ON CONFLICT names', ['unique index orders: orders_key (key)', undefined]],
  ['a label taken away', ['label order_status.PENDING', undefined]],
])('breaks a promise: %s', (_what, change) => {
  expect(brokenPromises({ before, after: changed(change), sql: '' })).toHaveLength(1);
});

it('takes away what it says is unused, and says nothing needless', () => {
  const sql = '-- Contract: column orders.colour, unused since 1.4\nALTER TABLE …';
  const after = changed(['column orders.colour', undefined]);
  expect(brokenPromises({ before, after, sql })).toEqual([]);
  expect(brokenPromises({ before, after: before, sql })).toEqual([
    'its line "Contract: column orders.colour" allows nothing',
  ]);
  expect(brokenPromises({ before, after, sql: '-- Contract: column orders.colour' })).toHaveLength(
    1,
  );
});

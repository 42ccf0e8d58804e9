import { expect, it } from 'vitest';
import { incompatibleChanges } from './incompatible-changes.ts';

const before = new Map([
  ['column orders.id', 'uuid, required'],
  ['column orders.color', 'text, optional'],
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
  ['a column that becomes optional on insert', ['column orders.id', 'uuid, never null']],
  ['a new table with constraints', ['column notes.id', 'uuid, required']],
  ['a constraint of a new table', ['constraint notes: notes_check (id)', 'CHECK (true)']],
  ['a constraint of new columns', ['constraint orders: note_check (note)', 'CHECK (true)']],
  ['a new enum value', ['label order_status.HELD', 'there']],
])('accepts %s', (_what, change) => {
  expect(incompatibleChanges({ before, after: changed(change), sql: '' })).toEqual([]);
});

it.each<[what: string, change: [string, string | undefined]]>([
  ['a dropped column', ['column orders.color', undefined]],
  ['a column with another type', ['column orders.color', 'integer, optional']],
  ['a column that becomes nullable', ['column orders.id', 'uuid, optional']],
  ['a column that becomes NOT NULL', ['column orders.color', 'text, never null']],
  ['a required column', ['column orders.note', 'text, required']],
  [
    'a new constraint on existing columns',
    ['constraint orders: orders_check (id note)', 'CHECK (id > 0)'],
  ],
  ['a new trigger on an existing table', ['trigger orders: stop', 'CREATE TRIGGER stop']],
  ['a dropped index that ON CONFLICT uses', ['unique index orders: orders_key (key)', undefined]],
  ['a removed enum value', ['label order_status.PENDING', undefined]],
])('reports %s', (_what, change) => {
  expect(incompatibleChanges({ before, after: changed(change), sql: '' })).toHaveLength(1);
});

it('accepts declared removals and reports unnecessary declarations', () => {
  const sql = '-- Contract: column orders.color, unused since 1.4\nALTER TABLE …';
  const after = changed(['column orders.color', undefined]);
  expect(incompatibleChanges({ before, after, sql })).toEqual([]);
  expect(incompatibleChanges({ before, after: before, sql })).toEqual([
    'the line "Contract: column orders.color" is not needed',
  ]);
  expect(
    incompatibleChanges({ before, after, sql: '-- Contract: column orders.color' }),
  ).toHaveLength(1);
});

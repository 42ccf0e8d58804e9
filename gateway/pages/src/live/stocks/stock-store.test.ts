import { expect, test } from 'vitest';
import { createStockStore } from './stock-store.ts';

const kopi = { id: 'kopi', name: 'Kopi', quantity: 10, version: 3 };
const teh = { id: 'teh', name: 'Teh', quantity: 5, version: 1 };

test('keeps the state with the highest version, regardless of the order of arrival', () => {
  const store = createStockStore();
  store.apply([{ ...kopi, version: 5, quantity: 8 }], true);
  store.apply([kopi], false);
  expect(store.get('kopi')).toMatchObject({ version: 5, quantity: 8 });
  store.apply([{ ...kopi, version: 6, quantity: 7 }], true);
  expect(store.get('kopi')).toMatchObject({ version: 6, quantity: 7, delta: -1 });
});

test('restores a deleted stock only from a newer state', () => {
  const store = createStockStore();
  store.apply([kopi], false);
  store.apply([{ ...kopi, version: 4, isDeleted: true }], true);
  store.apply([kopi], false);
  expect(store.ids.get()).toEqual([]);
  expect(store.get('kopi')).toBeUndefined();
  store.apply([{ ...kopi, version: 5 }], true);
  expect(store.ids.get()).toEqual(['kopi']);
});

test('keeps stocks sorted by name when a stock is renamed', () => {
  const store = createStockStore();
  store.apply([teh, { ...kopi, name: 'Kopi 10' }, { ...kopi, id: 'k2', name: 'Kopi 9' }], false);
  expect(store.ids.get()).toEqual(['k2', 'kopi', 'teh']);
  store.apply([{ ...teh, name: 'Arang', version: 2 }], true);
  expect(store.ids.get()).toEqual(['teh', 'k2', 'kopi']);
});

test('notifies only the listeners of a stock, once per batch', () => {
  const store = createStockStore();
  store.apply([kopi, teh], false);
  let notified = 0;
  const stop = store.subscribe('kopi', () => {
    notified += 1;
  });
  store.apply([{ ...teh, version: 2 }], true);
  expect(notified).toBe(0);
  store.apply(
    [
      { ...kopi, version: 4, quantity: 9 },
      { ...kopi, version: 5, quantity: 8 },
    ],
    true,
  );
  expect(notified).toBe(1);
  stop();
  store.apply([{ ...kopi, version: 6 }], true);
  expect(notified).toBe(1);
});

test('keeps the array of ids unless a stock is added, deleted or renamed', () => {
  const store = createStockStore();
  store.apply([kopi], false);
  const before = store.ids.get();
  store.apply([{ ...kopi, version: 4, quantity: 9 }], true);
  expect(store.ids.get()).toBe(before);
});

test('animates a quantity change from the stream, but not one from a query', () => {
  const store = createStockStore();
  expect(store.apply([kopi], false)).toEqual([]);
  expect(store.get('kopi')?.flash).toBe(0);
  expect(store.apply([{ ...kopi, version: 4, quantity: 4 }], true)).toHaveLength(1);
  expect(store.get('kopi')).toMatchObject({ flash: 1, delta: -6 });
});

test('keeps the last 5 minutes of history, and one older point', () => {
  let seconds = 0;
  const store = createStockStore(() => seconds);
  store.apply([kopi], false);
  for (let version = 4; version < 1000; version += 1) {
    seconds += 1;
    store.apply([{ ...kopi, version, quantity: version }], true);
  }
  const { times, quantities } = store.get('kopi')?.history ?? { times: [], quantities: [] };
  expect(times.length).toBeLessThanOrEqual(152);
  expect(times[0]).toBeLessThanOrEqual(seconds - 300);
  expect(times[1]).toBeGreaterThanOrEqual(seconds - 302);
  expect(quantities.at(-1)).toBe(999);
});

test('removes the stocks that a complete snapshot does not name', () => {
  const store = createStockStore();
  store.apply([kopi, teh, { ...kopi, id: 'added', name: 'Baru' }], false);
  store.beginSnapshot(false);
  store.apply([kopi], true);
  // The answer of a mutation during the snapshot.
  store.apply([{ ...kopi, id: 'added', name: 'Baru', version: 4 }], true);
  store.endSnapshot(true);
  expect(store.ids.get()).toEqual(['added', 'kopi']);
  store.apply([teh], true);
  expect(store.ids.get()).toEqual(['added', 'kopi', 'teh']);
});

test('keeps all stocks after a snapshot that is not complete or whose beginning was missed', () => {
  const store = createStockStore();
  store.apply([kopi, teh], false);
  store.beginSnapshot(false);
  store.endSnapshot(false);
  store.endSnapshot(true);
  expect(store.ids.get()).toEqual(['kopi', 'teh']);
});

test('shows lower versions after the database was restored', () => {
  const store = createStockStore();
  store.apply([kopi], false);
  store.beginSnapshot(true);
  store.apply([{ ...kopi, version: 2, quantity: 12 }], true);
  store.endSnapshot(true);
  expect(store.get('kopi')).toMatchObject({ version: 2, quantity: 12 });
});

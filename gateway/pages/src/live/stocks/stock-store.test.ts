import { expect, test } from 'vitest';
import { createStockStore } from './stock-store.ts';

const kopi = { id: 'kopi', name: 'Kopi', quantity: 10, version: 3 };
const teh = { id: 'teh', name: 'Teh', quantity: 5, version: 1 };

test('the highest version wins, in whatever order states come', () => {
  const store = createStockStore();
  store.apply([{ ...kopi, version: 5, quantity: 8 }], true);
  store.apply([kopi], false);
  expect(store.get('kopi')).toMatchObject({ version: 5, quantity: 8 });
  store.apply([{ ...kopi, version: 6, quantity: 7 }], true);
  expect(store.get('kopi')).toMatchObject({ version: 6, quantity: 7, delta: -1 });
});

test('an older state does not bring a deleted stock back; a newer one does', () => {
  const store = createStockStore();
  store.apply([kopi], false);
  store.apply([{ ...kopi, version: 4, gone: true }], true);
  store.apply([kopi], false);
  expect(store.ids.get()).toEqual([]);
  expect(store.get('kopi')).toBeUndefined();
  store.apply([{ ...kopi, version: 5 }], true);
  expect(store.ids.get()).toEqual(['kopi']);
});

test('stocks are sorted by name, renamed ones too', () => {
  const store = createStockStore();
  store.apply([teh, { ...kopi, name: 'Kopi 10' }, { ...kopi, id: 'k2', name: 'Kopi 9' }], false);
  expect(store.ids.get()).toEqual(['k2', 'kopi', 'teh']);
  store.apply([{ ...teh, name: 'Arang', version: 2 }], true);
  expect(store.ids.get()).toEqual(['teh', 'k2', 'kopi']);
});

test('who follows a stock hears of it alone, once for all states of a batch', () => {
  const store = createStockStore();
  store.apply([kopi, teh], false);
  let heard = 0;
  const stop = store.subscribe('kopi', () => {
    heard += 1;
  });
  store.apply([{ ...teh, version: 2 }], true);
  expect(heard).toBe(0);
  store.apply(
    [
      { ...kopi, version: 4, quantity: 9 },
      { ...kopi, version: 5, quantity: 8 },
    ],
    true,
  );
  expect(heard).toBe(1);
  stop();
  store.apply([{ ...kopi, version: 6 }], true);
  expect(heard).toBe(1);
});

test('the list stays the same array unless stocks come, go or are renamed', () => {
  const store = createStockStore();
  store.apply([kopi], false);
  const before = store.ids.get();
  store.apply([{ ...kopi, version: 4, quantity: 9 }], true);
  expect(store.ids.get()).toBe(before);
});

test('what a query brings does not flash; a change of the quantity does', () => {
  const store = createStockStore();
  expect(store.apply([kopi], false)).toEqual([]);
  expect(store.get('kopi')?.flash).toBe(0);
  expect(store.apply([{ ...kopi, version: 4, quantity: 4 }], true)).toHaveLength(1);
  expect(store.get('kopi')).toMatchObject({ flash: 1, delta: -6 });
});

test('the history keeps 5 minutes at most, and where the line comes in', () => {
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

/**
 * Seeded random numbers, mulberry32:
 * https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
 */
export interface Random {
  /** Returns a number from 0 (inclusive) to 1 (exclusive). */
  readonly next: () => number;
  /** Returns an integer between two bounds, both inclusive. */
  readonly between: (least: number, most: number) => number;
  readonly chance: (probability: number) => boolean;
  readonly pick: <T>(all: readonly T[]) => T;
  readonly shuffled: <T>(all: readonly T[]) => T[];
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number): number =>
    least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick: (all) => {
      if (all.length === 0) throw new Error('pick() needs at least one element');
      return all[between(0, all.length - 1)] as (typeof all)[number];
    },
    shuffled: (all) => {
      const left = [...all];
      for (let last = left.length - 1; last > 0; last -= 1) {
        const other = between(0, last);
        [left[last], left[other]] = [
          left[other] as (typeof left)[0],
          left[last] as (typeof left)[0],
        ];
      }
      return left;
    },
  };
}

/** Derives a seed for a name, so that each name has its own sequence. */
export function seedOf(seed: number, name: string): number {
  let mixed = seed ^ 0x811c9dc5;
  for (const character of name) mixed = Math.imul(mixed ^ character.charCodeAt(0), 0x01000193);
  return mixed >>> 0;
}

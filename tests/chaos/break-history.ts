import { check } from './checker.ts';
import type { History } from './history.ts';
import { soundHistory } from './sound-history.ts';

/** A history whose parts may be broken in place. */
export type Breakable<T> = T extends Buffer
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? Map<K, V>
    : T extends readonly (infer E)[]
      ? Breakable<E>[]
      : T extends object
        ? { -readonly [K in keyof T]: Breakable<T[K]> }
        : T;

/** The element at a place, which a sound history has. */
export function at<T>(all: T[] | undefined, index: number): T {
  const one = all?.[index];
  if (one === undefined) throw new Error(`A sound history has more than ${index} of these`);
  return one;
}

/** What the checker finds in a history with one thing broken: `<guarantee>: <what>`. */
export function breachesOf(damage: (history: Breakable<History>) => void): string[] {
  const history = soundHistory();
  damage(history as Breakable<History>);
  return check(history).map(({ guarantee, what }) => `${guarantee}: ${what}`);
}

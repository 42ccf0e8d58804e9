import { LimitExceeded } from './limit-exceeded.ts';

/**
 * Rejects values nested so deeply that recursive functions such as JSON.stringify would exceed the
 * stack. This check is not recursive.
 * @param value parsed from JSON
 * @throws {LimitExceeded}
 */
export function checkNesting(value: unknown, max: number): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > max) throw new LimitExceeded('nesting', { actual: max, max, more: true });
    const inside: unknown[] = [];
    for (const one of level) {
      if (typeof one !== 'object' || one === null) continue;
      for (const each of Object.values(one)) {
        if (typeof each === 'object' && each !== null) inside.push(each);
      }
    }
    level = inside;
  }
}

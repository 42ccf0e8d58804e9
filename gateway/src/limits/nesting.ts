import { LimitExceeded } from './limit-exceeded.ts';

/**
 * Refuses values that are nested so deep that whatever goes through them by calling itself, such as
 * JSON.stringify, would run out of stack. This goes through them without.
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

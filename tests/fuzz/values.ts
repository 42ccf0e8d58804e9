import type { Random } from '@gudang/testing/random';

/** Characters that have a meaning for parsers, and characters that look similar. */
const SPECIAL = [
  ...'{}[]()"\'\\/:;,.!@#$%&*=+-_<>|~` \t\n\r\0\u007f\u0085\u00a0\u2028\ufeff\u202e',
  '😀',
  'é',
  '\ud800',
];
const PLAIN = [...'abcxyzABC0123456789'];

export function anyText(random: Random, longest = 40): string {
  const length = random.chance(0.02) ? longest * 50 : random.between(0, longest);
  const letters = random.chance(0.5) ? PLAIN : [...SPECIAL, ...PLAIN];
  return Array.from({ length }, () => random.pick(letters)).join('');
}

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  100,
  101,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  1e21,
  5e-324,
  1.5,
  1e308,
];

/** Generates JSON values. Some are deep, some are wide, some have keys with a meaning in JavaScript. */
export function anyJson(random: Random, depth = 4): unknown {
  const kind = random.between(0, depth > 0 ? 7 : 4);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind === 2) return random.pick(NUMBERS);
  if (kind <= 4) return anyText(random);
  const size = random.between(0, 4);
  const all = Array.from({ length: size }, () => anyJson(random, depth - 1));
  if (kind === 5) return all;
  const names = ['__proto__', 'constructor', 'toString', 'query', 'id', 'first', 'then', ''];
  return Object.fromEntries(
    all.map((value) => [random.chance(0.5) ? random.pick(names) : anyText(random, 8), value]),
  );
}

/** Returns a copy of the text in which parts are removed, duplicated, swapped or replaced. */
export function mutateText(random: Random, text: string): string {
  let mutated = text;
  for (let count = random.between(1, 4); count > 0; count -= 1) {
    const at = random.between(0, mutated.length);
    const to = Math.min(mutated.length, at + random.between(0, 12));
    const piece = mutated.slice(at, to);
    const put = random.pick([
      () => '',
      () => piece + piece,
      () => anyText(random, 6),
      () => [...piece].reverse().join(''),
      () => piece.repeat(random.between(2, 200)),
    ])();
    mutated = mutated.slice(0, at) + put + mutated.slice(to);
  }
  return mutated;
}

export function mutateBytes(random: Random, bytes: Buffer): Buffer {
  const mutated = Buffer.from(bytes);
  for (let count = random.between(1, 8); count > 0 && mutated.length > 0; count -= 1) {
    mutated[random.between(0, mutated.length - 1)] = random.between(0, 255);
  }
  return random.chance(0.3) ? mutated.subarray(0, random.between(0, mutated.length)) : mutated;
}

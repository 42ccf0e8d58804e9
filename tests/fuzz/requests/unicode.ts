import type { Random } from '@gudang/testing/random';

/** Characters of each kind that encoders, comparisons and terminals handle differently. */
const CHARACTERS = [
  'a',
  'Z',
  '0',
  ' ',
  '"',
  '\\',
  '/',
  '\u0000',
  '\u0001',
  '\n',
  '\r',
  '\t',
  '\u007f',
  '\u0085',
  '\u00e9',
  'e\u0301',
  '\u2028',
  '\u202e',
  '\u05d0',
  '\ufeff',
  '\ufffd',
  '\uffff',
  '\u{1f600}',
  '\u{10ffff}',
  '\ud800',
  '\udc00',
  '\u0130',
  '\ufb01',
  '#',
  '&',
  '=',
  '%',
  '+',
  '{',
  '$',
];

/** Generates text of up to 12 characters; one in fifty texts has thousands. */
export function anyUnicode(random: Random): string {
  const length = random.chance(0.02) ? random.between(1_000, 4_000) : random.between(0, 12);
  return Array.from({ length }, () => random.pick(CHARACTERS)).join('');
}

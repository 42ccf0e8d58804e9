import { expect, it } from 'vitest';
import { cutReason } from './upgrades.ts';

it.each([
  ['keeps a short reason', 'Unauthorized', 'Unauthorized'],
  ['keeps 123 bytes', 'x'.repeat(123), 'x'.repeat(123)],
  ['cuts at 123 bytes', 'x'.repeat(124), 'x'.repeat(123)],
  ['cuts before a character of 2 bytes', 'é'.repeat(62), 'é'.repeat(61)],
  ['cuts before a character of 4 bytes', '😀'.repeat(31), '😀'.repeat(30)],
  ['counts a lone surrogate as 3 bytes', '\ud800'.repeat(42), '\ud800'.repeat(41)],
])('%s', (_what, reason, cut) => expect(cutReason(reason)).toBe(cut));

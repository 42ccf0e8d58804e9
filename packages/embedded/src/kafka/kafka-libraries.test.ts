import { expect, test } from 'vitest';
import { mavenReason } from './kafka-libraries.ts';

test('Maven’s first error is the reason', () => {
  const red = '\u001b[1;31mERROR\u001b[m';
  const output = [
    'Downloading …',
    `[${red}] Could not transfer artifact: Connection refused -> \u001b[1m[Help 1]\u001b[0m`,
    `[${red}] `,
    `[${red}] To see the full stack trace of the errors, re-run Maven with -e.`,
  ];
  expect(mavenReason(output.join('\n'))).toBe('Could not transfer artifact: Connection refused');
});

test('there may be none', () => {
  expect(mavenReason('Killed\n')).toBeUndefined();
});

import { describe, expect, it } from 'vitest';
import { mavenReason } from './kafka-libraries.ts';

describe('mavenReason', () => {
  it('returns Maven’s first error without colours', () => {
    const red = '\u001b[1;31mERROR\u001b[m';
    const output = [
      'Downloading …',
      `[${red}] Could not transfer artifact: Connection refused -> \u001b[1m[Help 1]\u001b[0m`,
      `[${red}] `,
      `[${red}] To see the full stack trace of the errors, re-run Maven with -e.`,
    ];
    expect(mavenReason(output.join('\n'))).toBe('Could not transfer artifact: Connection refused');
  });

  it('returns undefined for output without an error', () => {
    expect(mavenReason('Killed\n')).toBeUndefined();
  });
});

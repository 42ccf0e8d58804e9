import { describe, expect, it } from 'vitest';
import { setprivArguments } from './unprivileged-user.ts';

const USER = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];

describe('setprivArguments', () => {
  it('keeps the capability to search folders if root has it', () => {
    expect(setprivArguments('Name:\tnode\nCapEff:\t000001ffffffffff\nCapBnd:\t0\n')).toEqual([
      ...USER,
      ...['--inh-caps', '+dac_read_search', '--ambient-caps', '+dac_read_search'],
      ...['--securebits', '+no_setuid_fixup'],
    ]);
  });

  it.each([
    ['root in a container', 'CapEff:\t00000000a80425fb\n'],
    ['an unknown system', ''],
  ])('changes only the user for %s', (_, status) => {
    expect(setprivArguments(status)).toEqual(USER);
  });
});

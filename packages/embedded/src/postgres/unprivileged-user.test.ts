import { expect, test } from 'vitest';
import { setprivArguments } from './unprivileged-user.ts';

const USER = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];

test('an all-powerful root keeps the capability to search folders', () => {
  expect(setprivArguments('Name:\tnode\nCapEff:\t000001ffffffffff\nCapBnd:\t0\n')).toEqual([
    ...USER,
    ...['--inh-caps', '+dac_read_search', '--ambient-caps', '+dac_read_search'],
    ...['--securebits', '+no_setuid_fixup'],
  ]);
});

test.each([
  ['a container’s root', 'CapEff:\t00000000a80425fb\n'],
  ['an unknown system', ''],
])('%s only changes the user', (_, status) => {
  expect(setprivArguments(status)).toEqual(USER);
});

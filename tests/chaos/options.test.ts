import { expect, it } from 'vitest';
import { readOptions } from './options.ts';

it('runs all faults once unless told otherwise', () => {
  expect(readOptions([])).toEqual({
    faults: [],
    seed: 1,
    minutes: undefined,
    short: false,
    list: false,
  });
});

it('takes names, a seed and minutes', () => {
  expect(readOptions(['broker-down', '--seed', '7', '--minutes', '0.5'])).toMatchObject({
    faults: ['broker-down'],
    seed: 7,
    minutes: 0.5,
  });
});

it('says what is allowed', () => {
  expect(() => readOptions(['--seed', 'x'])).toThrow('--seed x: a number from 0');
  expect(() => readOptions(['--sede', '1'])).toThrow('--sede');
});

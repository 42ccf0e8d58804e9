import { expect, it } from 'vitest';
import { OptionsError, readOptions } from './options.ts';

it('the default is one run of all faults', () => {
  expect(readOptions([])).toEqual({
    faults: [],
    seed: 1,
    minutes: undefined,
    short: false,
    list: false,
    help: false,
  });
});

it('accepts fault names, a seed and minutes', () => {
  expect(readOptions(['broker-down', '--seed', '7', '--minutes', '0.5'])).toMatchObject({
    faults: ['broker-down'],
    seed: 7,
    minutes: 0.5,
  });
});

it.each([
  [['--seed', 'x'], '--seed x: a whole number from 0'],
  [['--seed', '1.5'], '--seed 1.5: a whole number from 0'],
  [['--minutes=-1'], '--minutes -1: a number above 0'],
  [['--minutes', 'soon'], '--minutes soon: a number above 0'],
  [['--sede', '1'], "Unknown option '--sede'"],
])('names the allowed values for %j', (given, message) => {
  expect(() => readOptions(given)).toThrow(message);
  expect(() => readOptions(given)).toThrow(OptionsError);
});

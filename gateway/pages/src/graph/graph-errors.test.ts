import { expect, test } from 'vitest';
import { inPlainWords, unavailableServices } from './graph-errors.ts';

test('input that is refused is told in words of the form', () => {
  const extensions = {
    code: 'BAD_USER_INPUT',
    argument: 'input.quantity',
    allowed: 'a whole number from 1 to 1,000,000',
  };
  expect(inPlainWords({ message: 'input.quantity must be …', extensions })).toBe(
    'The quantity must be a whole number from 1 to 1,000,000.',
  );
});

test('a service that is away is named; other messages stay as they are', () => {
  const extensions = { code: 'UNAVAILABLE', serviceName: 'order' };
  expect(inPlainWords({ message: 'x', extensions })).toContain('The order service does not answer');
  expect(inPlainWords({ message: 'There is one already' })).toBe('There is one already.');
});

test('services away, each once', () => {
  const away = (serviceName: string) => ({
    message: 'x',
    extensions: { code: 'UNAVAILABLE', serviceName },
  });
  expect(unavailableServices([away('stock'), away('order'), away('stock')])).toEqual([
    'order',
    'stock',
  ]);
});

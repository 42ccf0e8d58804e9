import { describe, expect, it } from 'vitest';
import { errorText, refusalText, unavailableServices } from './graph-errors.ts';

const unavailable = (serviceName: string) => ({
  message: 'x',
  extensions: { code: 'UNAVAILABLE', serviceName },
});

describe('errorText', () => {
  it('names the form field of invalid input', () => {
    const extensions = {
      code: 'BAD_USER_INPUT',
      argument: 'input.quantity',
      allowed: 'a whole number from 1 to 1,000,000',
    };
    expect(errorText({ message: 'input.quantity must be …', extensions })).toBe(
      'The quantity must be a whole number from 1 to 1,000,000.',
    );
  });

  it('names all form fields with invalid input', () => {
    const extensions = {
      code: 'BAD_USER_INPUT',
      argument: 'input.name',
      allowed: 'a text of 1 to 255 characters',
      invalid: [
        { argument: 'input.name', allowed: 'a text of 1 to 255 characters', problem: 'is empty' },
        { argument: 'input.quantity', allowed: 'a whole number from 0 to 9' },
      ],
    };
    expect(errorText({ message: 'input.name is empty …', extensions })).toBe(
      'The name is empty; it must be a text of 1 to 255 characters. ' +
        'The quantity must be a whole number from 0 to 9.',
    );
  });

  it('names an unavailable service', () => {
    expect(errorText(unavailable('order'))).toContain('The order service does not answer');
  });

  it('asks users to sign in, or names the permission that they miss', () => {
    const message =
      'Mutation.createOrder needs a token: send one as "Authorization: Bearer <token>"';
    expect(errorText({ message, extensions: { code: 'UNAUTHENTICATED' } })).toBe(
      'Sign in to do this.',
    );
    const extensions = { code: 'FORBIDDEN', scopes: [['stock:write']] };
    expect(errorText({ message: 'x', extensions })).toContain('the permission stock:write');
    expect(errorText({ message: 'x', extensions: { code: 'FORBIDDEN' } })).toContain(
      'for permission.',
    );
  });

  it('keeps other messages and ends them with a full stop', () => {
    expect(errorText({ message: 'The stock exists' })).toBe('The stock exists.');
  });
});

describe('refusalText', () => {
  it.each([
    ['The token is invalid: it has expired', 'Your sign-in has expired.'],
    ['The token has expired: reconnect with a fresh one', 'Your sign-in has expired.'],
    [
      'The token is invalid: its signature is wrong',
      'Your token was not accepted: its signature is wrong.',
    ],
    ['The token is invalid', 'Your token was not accepted.'],
  ])('describes "%s" to a user', (refusal, text) => {
    expect(refusalText(refusal)).toBe(text);
  });
});

describe('unavailableServices', () => {
  it('lists each service once', () => {
    const errors = [unavailable('stock'), unavailable('order'), unavailable('stock')];
    expect(unavailableServices(errors)).toEqual(['order', 'stock']);
  });
});

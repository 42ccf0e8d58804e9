import { ANONYMOUS, type Identity, UNRESTRICTED } from '@gudang/auth';
import { describe, expect, it } from 'vitest';
import { isVisible, visibilityOf } from './order-visibility.ts';

const visibleOwners = (identity: Identity): string[] =>
  ['Siti', 'Budi', ''].filter((owner) => isVisible(visibilityOf(identity), { owner }));

describe('isVisible', () => {
  it.each<[string, Identity, string[]]>([
    ['all orders if authentication is disabled', UNRESTRICTED, ['Siti', 'Budi', '']],
    ['no order to an anonymous caller', ANONYMOUS, []],
    ['own orders to a principal', { subject: 'Siti', scopes: [] }, ['Siti']],
    [
      'own orders to a principal with other scopes',
      { subject: 'Siti', scopes: ['order:write', 'order:read'] },
      ['Siti'],
    ],
    [
      'all orders to a principal with order:read:all',
      { subject: 'Siti', scopes: ['order:read:all'] },
      ['Siti', 'Budi', ''],
    ],
    [
      'no order to a shared stream without a subject',
      { authenticated: true, scopes: ['order:write'] },
      [],
    ],
    [
      'all orders to a shared stream with order:read:all',
      { scopes: ['order:read:all'] },
      ['Siti', 'Budi', ''],
    ],
    ['no order to an empty subject', { subject: '', scopes: [] }, []],
  ])('shows %s', (_who, identity, expected) => {
    expect(visibleOwners(identity)).toEqual(expected);
  });
});

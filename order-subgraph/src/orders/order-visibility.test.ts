import { ANONYMOUS, type Identity, UNRESTRICTED } from '@gudang/auth';
import { expect, it } from 'vitest';
import { isVisible, visibilityOf } from './order-visibility.ts';

const sees = (identity: Identity): string[] =>
  ['Siti', 'Budi', ''].filter((owner) => isVisible(visibilityOf(identity), { owner }));

it.each<[string, Identity, string[]]>([
  ['whoever is not told apart', UNRESTRICTED, ['Siti', 'Budi', '']],
  ['nobody', ANONYMOUS, []],
  ['Siti', { subject: 'Siti', scopes: [] }, ['Siti']],
  ['Siti who may order', { subject: 'Siti', scopes: ['order:write', 'order:read'] }, ['Siti']],
  ['whoever may see all', { subject: 'Siti', scopes: ['order:read:all'] }, ['Siti', 'Budi', '']],
  ['a stream that holds the subject back', { authenticated: true, scopes: ['order:write'] }, []],
  ['a stream of those who may see all', { scopes: ['order:read:all'] }, ['Siti', 'Budi', '']],
  ['an empty subject', { subject: '', scopes: [] }, []],
])('%s sees the right ones', (_who, identity, expected) => {
  expect(sees(identity)).toEqual(expected);
});

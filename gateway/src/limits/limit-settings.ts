import { integer, type Setting, type SettingsOf } from '@gudang/service/settings';

const MANY = 1_000_000;

/** How large operations may be, on every protocol. */
export const operationLimitSettings = {
  LIMIT_TOKENS: {
    description: 'The most tokens (words and signs) of an operation',
    parse: integer(1, MANY),
    default: '2000',
  },
  LIMIT_DEPTH: {
    description: 'The most fields inside each other',
    parse: integer(1, 1_000),
    default: '20',
  },
  LIMIT_ALIASES: {
    description: 'The most aliases of an operation',
    parse: integer(0, MANY),
    default: '100',
  },
  LIMIT_ROOT_FIELDS: {
    description: 'The most fields at the top of an operation',
    parse: integer(1, MANY),
    default: '50',
  },
  LIMIT_DIRECTIVES: {
    description: 'The most directives of an operation, such as @include',
    parse: integer(0, MANY),
    default: '50',
  },
  LIMIT_FRAGMENTS: {
    description:
      'The most named fragments that an operation spreads; one spread twice counts twice',
    parse: integer(0, MANY),
    default: '200',
  },
  LIMIT_COST: {
    description:
      'The most that an operation may cost: an object 1, a change 10, times the length of the lists it is in',
    parse: integer(1, 1_000_000_000),
    default: '10000',
  },
} as const satisfies Record<string, Setting>;

/** How much clients may ask for, and how long they may take. */
export const clientLimitSettings = {} as const satisfies Record<string, Setting>;

export const limitSettings = { ...operationLimitSettings, ...clientLimitSettings } as const;

export type LimitSettings = SettingsOf<typeof limitSettings>;

import { integer, list, type Setting, type SettingsOf } from '@gudang/runtime/settings';
import { checkProxies } from './client-address.ts';
import type { TextLimits } from './parse-within.ts';

const MANY = 1_000_000;

const proxies = list.refine((all) => {
  try {
    checkProxies(all);
    return true;
  } catch {
    return false;
  }
}, 'addresses and ranges such as 10.0.0.0/8, or loopback, linklocal, uniquelocal, separated by commas');

/** How large operations may be, on every protocol. */
export const operationLimitSettings = {
  LIMIT_NESTING: {
    description:
      'The most lists and objects inside each other in a request, such as in its variables',
    parse: integer(4, 500),
    default: '64',
  },
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

/** How much clients may ask for at a time, and how long they may take. */
export const clientLimitSettings = {
  LIMIT_BODY_KIB: {
    description: 'The largest request body, in KiB',
    parse: integer(1, 102_400),
    default: '256',
  },
  LIMIT_MESSAGE_KIB: {
    description: 'The largest message of a websocket, in KiB',
    parse: integer(1, 102_400),
    default: '64',
  },
  LIMIT_CONNECTIONS: {
    description: 'The most websockets and streams at a time',
    parse: integer(1, MANY),
    default: '20000',
  },
  LIMIT_CONNECTIONS_PER_ADDRESS: {
    description: 'The same of one address; of this machine, any number',
    parse: integer(1, MANY),
    default: '200',
  },
  LIMIT_OPERATIONS: {
    description: 'The most operations that run at a time on one websocket',
    parse: integer(1, MANY),
    default: '1000',
  },
  LIMIT_INIT_S: {
    description: 'How long a websocket may take to say who it is, in seconds',
    parse: integer(1, 600),
    default: '10',
  },
  LIMIT_IDLE_S: {
    description: 'How long a websocket may stay open with no operation, in seconds',
    parse: integer(1, 86_400),
    default: '600',
  },
  LIMIT_REQUESTS: {
    description:
      'The most operations a second of one user, or of one address where nobody is told apart; of this machine, any number',
    parse: integer(1, MANY),
    default: '100',
  },
  LIMIT_BAD_TOKENS: {
    description:
      'The most tokens a second of one address that are no good; past it unknown ones are not looked at; of this machine, any number',
    parse: integer(1, MANY),
    default: '100',
  },
  SHED_DELAY_MS: {
    description:
      'How late the process may run, in milliseconds on average, before it refuses new operations with 503; 0: never',
    parse: integer(0, 60_000),
    default: '1000',
  },
  TRUSTED_PROXIES: {
    description:
      'Proxies in front of the gateway, whose X-Forwarded-For is believed: addresses and ranges, or loopback, linklocal, uniquelocal',
    parse: proxies,
    default: '',
    example: '10.0.0.0/8,192.0.2.7',
  },
} as const satisfies Record<string, Setting>;

export const limitSettings = { ...operationLimitSettings, ...clientLimitSettings } as const;

export type LimitSettings = SettingsOf<typeof limitSettings>;

export interface OperationLimits extends TextLimits {
  readonly nesting: number;
  readonly cost: number;
}

export function readOperationLimits(settings: LimitSettings): OperationLimits {
  return {
    tokens: settings.LIMIT_TOKENS,
    depth: settings.LIMIT_DEPTH,
    aliases: settings.LIMIT_ALIASES,
    rootFields: settings.LIMIT_ROOT_FIELDS,
    directives: settings.LIMIT_DIRECTIVES,
    fragments: settings.LIMIT_FRAGMENTS,
    nesting: settings.LIMIT_NESTING,
    cost: settings.LIMIT_COST,
  };
}

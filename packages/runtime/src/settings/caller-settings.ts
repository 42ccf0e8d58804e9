import { checkProxies } from '../http/client-address.ts';
import { integer, list, type Setting } from './settings.ts';

const proxies = list.refine((all) => {
  try {
    checkProxies(all);
    return true;
  } catch {
    return false;
  }
}, 'addresses, ranges such as 10.0.0.0/8, or loopback, linklocal, uniquelocal, separated by commas');

/** Settings of each process that limits the rate of its callers. */
export const callerSettings = {
  LIMIT_REQUESTS: {
    description:
      'Maximum operations per second of one principal, or of one address for anonymous callers; loopback addresses have no limit. A subgraph counts REST requests, and checks of invalid tokens. The gateway counts planning of new operations, too: 250 ms of it as much as this number of operations. It also counts large bodies, and an operation above another limit as a tenth of this number',
    parse: integer(1, 1_000_000),
    default: '100',
  },
  TRUSTED_PROXIES: {
    description:
      'Proxies whose X-Forwarded-For is trusted: addresses, ranges, or loopback, linklocal, uniquelocal',
    parse: proxies,
    default: '',
    example: '10.0.0.0/8,192.0.2.7',
  },
} as const satisfies Record<string, Setting>;

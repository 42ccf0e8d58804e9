/** Child process with several attackers, each with an address of its own. */
import { constants, setPriority } from 'node:os';
import { ATTACKS, type Attack, type AttackName, readBare } from './attacks.ts';

// Attackers have machines of their own. Here they share the cores with the servers and the other clients,
// and would delay these even without sending anything.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

interface Asked {
  readonly begin?: AttackName;
  /** Whether the server only sends, and the attackers only read. */
  readonly isBare?: boolean;
  readonly attackers?: number;
  readonly port?: number;
  readonly authorization?: string;
  readonly oldCursor?: string;
  readonly ids?: readonly string[];
}

/** Outcomes by name. */
const counts: Record<string, number> = { 'KiB received': 0 };
const add = (name: string, amount: number): void => {
  counts[name] = (counts[name] ?? 0) + amount;
};

process.on(
  'message',
  ({
    begin,
    isBare = false,
    attackers = 0,
    port = 0,
    authorization = '',
    oldCursor = '',
    ids = [],
  }: Asked) => {
    if (begin !== undefined) {
      for (let number = 1; number <= attackers; number += 1) {
        const run = isBare ? (attack: Attack) => readBare(attack, begin) : ATTACKS[begin];
        run({
          host: '127.0.0.1',
          port,
          address: `203.0.113.${number}`,
          authorization,
          oldCursor,
          ids,
          count: (what) => add(what, 1),
          countBytes: (bytes) => add('KiB received', bytes / 1024),
        });
      }
    }
    process.send?.(counts);
  },
);
process.send?.({});

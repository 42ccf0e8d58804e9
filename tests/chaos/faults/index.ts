import type { Fault } from '../fault.ts';
import { brokerDown, brokerDownForAMinute } from './broker-down.ts';
import { brokerDownAtStart } from './broker-down-at-start.ts';
import { brokerKilled } from './broker-killed.ts';
import { lostAcknowledgement } from './lost-acknowledgement.ts';

/** All faults, in the order in which they are run. */
export const FAULTS: readonly Fault[] = [
  brokerDown,
  brokerDownForAMinute,
  brokerDownAtStart,
  brokerKilled,
  lostAcknowledgement,
];

/** @throws {Error} for a name that no fault has */
export function faultsNamed(names: readonly string[]): readonly Fault[] {
  if (names.length === 0) return FAULTS;
  return names.map((name) => {
    const fault = FAULTS.find((one) => one.name === name);
    if (!fault) throw new Error(`There is no fault ${name}; --list names them`);
    return fault;
  });
}

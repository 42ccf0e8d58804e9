import type { Fault } from '../fault.ts';
import { OptionsError } from '../options.ts';
import {
  brokerDown,
  brokerDownAtStart,
  brokerDownForAMinute,
  brokerKilled,
  brokerSilent,
} from './broker.ts';
import {
  cancelKilledBeforeAnswer,
  cancelKilledBeforeCommit,
  cancelKilledBeforeSend,
  cancelKilledInTransaction,
} from './cancellations.ts';
import { clocksApart } from './clocks-apart.ts';
import { lastUnits, oneStockAtOnce } from './concurrent-orders.ts';
import { foreignClients } from './foreign-clients.ts';
import {
  frozenInTransaction,
  orderFrozen,
  replicaWithClientsFrozen,
  stockFrozen,
} from './frozen-processes.ts';
import { heldSnapshot } from './held-snapshot.ts';
import {
  orderKilledBeforeDelete,
  orderKilledBeforeSend,
  orderKilledWhileWriting,
  stockKilledBeforeCommit,
  stockKilledInTransaction,
  stockKilledWhileWriting,
} from './killed-processes.ts';
import { brokerLosesTail } from './lost-tail.ts';
import {
  databasesSilent,
  orderDatabaseKilled,
  orderDatabaseRestarted,
  orderDiskFull,
  stockDatabaseKilled,
  stockDatabaseRestarted,
  stockDiskFull,
} from './postgres.ts';
import {
  badRecords,
  foreignRecords,
  offsetsReset,
  recordsOutOfOrder,
  recordsTwice,
} from './records.ts';
import { lostAcknowledgement, orderRelayFrozen, stockRelayFrozen, twoRelays } from './relay.ts';
import { consumersComeAndGo, threeReplicas } from './replicas.ts';
import { slowSnapshots } from './slow-snapshots.ts';
import { terminatedUnderLoad } from './terminated-under-load.ts';
import { timeZones } from './time-zones.ts';

/** All faults, in the order in which they run. */
export const FAULTS: readonly Fault[] = [
  lastUnits,
  oneStockAtOnce,
  foreignRecords,
  foreignClients,
  badRecords,
  recordsTwice,
  recordsOutOfOrder,
  lostAcknowledgement,
  brokerDown,
  brokerDownForAMinute,
  brokerDownAtStart,
  brokerKilled,
  brokerLosesTail,
  brokerSilent,
  orderDatabaseRestarted,
  orderDatabaseKilled,
  stockDatabaseRestarted,
  stockDatabaseKilled,
  databasesSilent,
  orderDiskFull,
  stockDiskFull,
  orderKilledWhileWriting,
  orderKilledBeforeSend,
  orderKilledBeforeDelete,
  stockKilledWhileWriting,
  stockKilledInTransaction,
  stockKilledBeforeCommit,
  cancelKilledBeforeSend,
  cancelKilledInTransaction,
  cancelKilledBeforeCommit,
  cancelKilledBeforeAnswer,
  offsetsReset,
  stockFrozen,
  orderFrozen,
  replicaWithClientsFrozen,
  frozenInTransaction,
  orderRelayFrozen,
  stockRelayFrozen,
  twoRelays,
  threeReplicas,
  consumersComeAndGo,
  clocksApart,
  heldSnapshot,
  slowSnapshots,
  timeZones,
  terminatedUnderLoad,
];

/**
 * Returns the faults with the given names, or all faults if no name is given.
 * @throws {OptionsError} for an unknown name
 */
export function faultsNamed(names: readonly string[]): readonly Fault[] {
  if (names.length === 0) return FAULTS;
  return [...new Set(names)].map((name) => {
    const fault = FAULTS.find((one) => one.name === name);
    if (!fault) throw new OptionsError(`There is no fault ${name}; --list names them`);
    return fault;
  });
}

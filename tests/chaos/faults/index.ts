import type { Fault } from '../fault.ts';
import { OptionsError } from '../options.ts';
import { badRecords } from './bad-records.ts';
import { brokerDown, brokerDownForAMinute } from './broker-down.ts';
import { brokerDownAtStart } from './broker-down-at-start.ts';
import { brokerKilled } from './broker-killed.ts';
import { clocksApart } from './clocks-apart.ts';
import { orderFrozen, replicaWithClientsFrozen, stockFrozen } from './consumer-frozen.ts';
import { consumersComeAndGo } from './consumers-come-and-go.ts';
import { orderDiskFull, stockDiskFull } from './disk-full.ts';
import { foreignRecords } from './foreign-records.ts';
import { frozenInTransaction } from './frozen-in-transaction.ts';
import { orderKilledWhileWriting, stockKilledWhileWriting } from './killed-while-writing.ts';
import { lastUnits } from './last-units.ts';
import { lostAcknowledgement } from './lost-acknowledgement.ts';
import { offsetsReset } from './offsets-reset.ts';
import { oneStockAtOnce } from './one-stock-at-once.ts';
import { orderKilledBeforeDelete } from './order-killed-before-delete.ts';
import { orderKilledBeforeSend } from './order-killed-before-send.ts';
import {
  orderDatabaseKilled,
  orderDatabaseRestarted,
  stockDatabaseKilled,
  stockDatabaseRestarted,
} from './postgres-outage.ts';
import { recordsOutOfOrder } from './records-out-of-order.ts';
import { recordsTwice } from './records-twice.ts';
import { orderRelayFrozen, stockRelayFrozen } from './relay-frozen.ts';
import { brokerSilent, databasesSilent } from './stalled.ts';
import { stockKilledBeforeCommit } from './stock-killed-before-commit.ts';
import { stockKilledInTransaction } from './stock-killed-in-transaction.ts';
import { terminatedUnderLoad } from './terminated-under-load.ts';
import { threeReplicas } from './three-replicas.ts';
import { twoRelays } from './two-relays.ts';

/** All faults, in the order in which they are run. */
export const FAULTS: readonly Fault[] = [
  lastUnits,
  oneStockAtOnce,
  foreignRecords,
  badRecords,
  recordsTwice,
  recordsOutOfOrder,
  lostAcknowledgement,
  brokerDown,
  brokerDownForAMinute,
  brokerDownAtStart,
  brokerKilled,
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
  terminatedUnderLoad,
];

/** @throws {OptionsError} for a name that no fault has */
export function faultsNamed(names: readonly string[]): readonly Fault[] {
  if (names.length === 0) return FAULTS;
  return [...new Set(names)].map((name) => {
    const fault = FAULTS.find((one) => one.name === name);
    if (!fault) throw new OptionsError(`There is no fault ${name}; --list names them`);
    return fault;
  });
}

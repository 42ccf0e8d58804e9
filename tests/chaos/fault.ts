import type { Random } from '@gudang/testing/random';
import type { TopicArchive } from '@gudang/testing/topic-archive';
import type { Acknowledged } from './history.ts';
import type { Customer } from './load/customer.ts';
import type { Load } from './load/load.ts';
import type { RunningStockWatcher } from './load/stock-watcher.ts';
import type { Rig } from './rig/rig.ts';

/** A fault that is injected while the system is under load. */
export interface Fault {
  /** Name of the fault on the command line. */
  readonly name: string;
  /** Description that the result table shows. */
  readonly title: string;
  /** Whether `npm test` runs a short version of the fault. The other faults take too long. */
  readonly short?: boolean;
  /** Returns the reason why this machine cannot inject the fault; undefined if it can. */
  readonly unavailable?: (rig: Rig) => string | undefined;
  /**
   * Injects the fault. The caller repairs the system afterwards.
   * @returns number of times that the fault verifiably happened; 0 fails the run
   */
  readonly run: (context: FaultContext) => Promise<number>;
}

export interface FaultContext {
  readonly rig: Rig;
  readonly load: Load;
  readonly customer: Customer;
  readonly random: Random;
  /** A unique label of this run, with which the ids of the run's products start. */
  readonly label: string;
  /** Whether to repeat the fault fewer times, as in `npm test`. */
  readonly short: boolean;
  /** Subscribes to this fault's products. The events are checked once the system has settled. */
  readonly watch: (name: string, url: () => string) => Promise<RunningStockWatcher>;
  /** Adds a stock that the load does not use. */
  readonly addStock: (id: string, quantity: number) => Promise<void>;
  /** Records an acknowledged order that the load did not send. */
  readonly acknowledged: (order: Acknowledged) => void;
  readonly archive: TopicArchive;
  /** Orders that the fault writes to order_created as another system. The stock service must decide them. */
  readonly foreign: { id: string; productId: string }[];
  /** Adds a measurement, which is printed below the fault's row in the table. */
  readonly note: (what: string) => void;
  /** Records a violation in addition to those that the checker finds. */
  readonly breach: (what: string) => void;
}

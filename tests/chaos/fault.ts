import type { Random } from '@gudang/testing/random';
import type { TopicArchive } from '@gudang/testing/topic-archive';
import type { Acknowledged } from './history.ts';
import type { Customer } from './load/customer.ts';
import type { Load } from './load/load.ts';
import type { RunningStockWatcher } from './load/stock-watcher.ts';
import type { Rig } from './rig/rig.ts';

/** One fault that is injected while load is running. */
export interface Fault {
  /** Name on the command line. */
  readonly name: string;
  /** Description in the table. */
  readonly title: string;
  /** Runs in `npm test` in a short version; other faults wait for time-outs or take long. */
  readonly short?: boolean;
  /** Reason why this machine cannot inject it; undefined if it can. */
  readonly unavailable?: (rig: Rig) => string | undefined;
  /**
   * Injects the fault. The caller repairs the system afterwards.
   * @returns how often the fault verifiably happened; 0 fails the run
   */
  readonly run: (context: FaultContext) => Promise<number>;
}

export interface FaultContext {
  readonly rig: Rig;
  readonly load: Load;
  readonly customer: Customer;
  readonly random: Random;
  /** Unique per run; prefix of the ids of its products. */
  readonly label: string;
  /** Fewer repetitions, for `npm test`. */
  readonly short: boolean;
  /** Subscribes to this fault's products; the events are checked once the system has settled. */
  readonly watch: (name: string, url: () => string) => Promise<RunningStockWatcher>;
  /** Adds a stock that the load does not use. */
  readonly addStock: (id: string, quantity: number) => Promise<void>;
  /** Records an acknowledged order that the load did not send. */
  readonly acknowledged: (order: Acknowledged) => void;
  readonly archive: TopicArchive;
  /** Orders that another system wrote to order_created; the stock service must decide them. */
  readonly foreign: { id: string; productId: string }[];
  /** Prints a measurement below the table row. */
  readonly note: (what: string) => void;
  /** Records a violation beyond those that the checker finds. */
  readonly breach: (what: string) => void;
}

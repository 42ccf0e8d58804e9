import type { BenchCase } from '../suite/bench-case.ts';
import { backlog } from './backlog.ts';
import { coldStart } from './cold-start.ts';
import { importFiles } from './import.ts';
import { journeys } from './journeys.ts';
import { orders } from './orders.ts';
import { reads } from './reads.ts';
import { soak } from './soak.ts';
import { start } from './start.ts';
import { stockWrites } from './stock-writes.ts';
import { wholeSystems } from './whole-systems.ts';

export const cases: readonly BenchCase[] = [
  ...reads,
  ...orders,
  ...stockWrites,
  ...wholeSystems,
  ...backlog,
  importFiles,
  journeys,
  start,
  coldStart,
  soak,
];

import type { Logger } from '@gudang/runtime';
import type { PlanningBudget } from '../../limits/planning-budget.ts';
import type { LabelShares } from '../../planning/progressive-overrides.ts';
import type { LoadedSupergraph } from '../../supergraph.ts';
import {
  createSubscriptionPlanner,
  type SubscriptionPlanner,
} from '../planning/subscription-plan.ts';
import { createEventExecutor, type EventExecutor, type EventSources } from './event-executor.ts';

/** Plans and executes live streams of one supergraph; replaced when the supergraph changes. */
export interface LiveGraph {
  readonly supergraph: LoadedSupergraph;
  readonly plan: SubscriptionPlanner;
  readonly execute: EventExecutor;
}

export function createLiveGraph({
  supergraph,
  sources,
  hideSuggestions,
  planning,
  shares,
  log,
}: {
  supergraph: LoadedSupergraph;
  sources: EventSources;
  hideSuggestions: boolean;
  planning?: PlanningBudget;
  shares?: LabelShares;
  log: Logger;
}): LiveGraph {
  return {
    supergraph,
    plan: createSubscriptionPlanner(supergraph, {
      hideSuggestions,
      shares,
      ...(planning ? { planning } : {}),
    }),
    execute: createEventExecutor({ sources, log }),
  };
}

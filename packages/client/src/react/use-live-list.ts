'use client';
import { useMemo, useSyncExternalStore } from 'react';
import type { Variables } from '../document.ts';
import { liveList } from '../list/live-list.ts';
import type { ListState, LiveList, LiveListOptions } from '../list/live-list-options.ts';
import { useLiveClient } from './live-provider.ts';
import { WhileShown } from './while-shown.ts';

/** The state of a list, and its actions, which are the same functions in every render. */
export type LiveListResult<TItem> = ListState<TItem> &
  Pick<LiveList<TItem>, 'loadMore' | 'restart'>;

export interface UseLiveListOptions {
  /** Whether nothing is loaded, for example because a variable is not known yet. Default: false. */
  readonly skip?: boolean | undefined;
  /** Another key begins another list: for a function of the options that uses more than the variables. */
  readonly key?: string | number | undefined;
}

/**
 * Shows a list that stays current while the component is mounted. Another document, other variables or another
 * `key` begin another list. The functions of the options may be new in every render; a list uses its first ones.
 */
export function useLiveList<
  TItem,
  TPage,
  TPageVariables extends Variables,
  TEvent,
  TEventVariables extends Variables,
>(
  options: LiveListOptions<TItem, TPage, TPageVariables, TEvent, TEventVariables> &
    UseLiveListOptions,
): LiveListResult<TItem> {
  const client = useLiveClient();
  const { query, variables, subscription, subscriptionVariables, skip = false, key } = options;
  const content = JSON.stringify([variables, subscriptionVariables]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the contents and the key stand for the options
  const shown = useMemo(() => {
    const initial: ListState<TItem> = {
      items: [],
      hasMore: false,
      state: 'connecting',
      error: null,
      loading: !skip,
    };
    return new WhileShown(initial, (changed) => {
      if (skip) return { get: () => initial, stop() {}, list: undefined };
      const list = liveList(client, options);
      list.subscribe(changed);
      return { get: list.get, stop: list.close, list };
    });
  }, [client, query, content, subscription, skip, key]);
  const state = useSyncExternalStore(shown.subscribe, shown.get, shown.getInitial);
  const actions = useMemo(
    () => ({
      loadMore: async () => shown.running?.list?.loadMore(),
      restart: () => shown.running?.list?.restart(),
    }),
    [shown],
  );
  return useMemo(() => ({ ...state, ...actions }), [state, actions]);
}

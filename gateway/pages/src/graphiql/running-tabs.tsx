import { useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useSyncExternalStore } from 'react';
import type { TabSubscriptions } from './tab-subscriptions.ts';

/** Lists the subscriptions that run in other tabs. Resumes the one of a tab that is shown again. */
export function RunningTabs({ subscriptions }: { subscriptions: TabSubscriptions }) {
  const tabs = useGraphiQL((state) => state.tabs);
  const activeTabIndex = useGraphiQL((state) => state.activeTabIndex);
  const shown = tabs[activeTabIndex]?.id;
  const actions = useGraphiQLActions();
  const hidden = useSyncExternalStore(subscriptions.subscribe, subscriptions.hidden);

  useEffect(() => {
    subscriptions.setTabs({ tabs, activeTabIndex });
  }, [subscriptions, tabs, activeTabIndex]);
  useEffect(() => {
    if (shown !== undefined) subscriptions.tabShown(actions);
  }, [subscriptions, actions, shown]);

  if (hidden.length === 0) return null;
  return (
    <p className="running-tabs">
      Also running:{' '}
      {hidden.map(({ tab, results, hasEnded }) => {
        const index = tabs.findIndex(({ id }) => id === tab);
        const count = results === 1 ? '1 event' : `${results} events`;
        return (
          <button key={tab} type="button" onClick={() => actions.changeTab(index)}>
            {tabs[index]?.title} ({hasEnded ? 'ended' : count})
          </button>
        );
      })}
    </p>
  );
}

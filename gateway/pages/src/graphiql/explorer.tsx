import { useMonaco } from '@graphiql/react';
import { GraphiQL } from 'graphiql';
import { useEffect } from 'react';
import type { Example } from '../examples/examples.ts';
import { RunningTabs } from './running-tabs.tsx';
import type { TabSubscriptions } from './tab-subscriptions.ts';

/** GraphiQL's dark theme, but with a contrast of 5.6 : 1 for comments instead of 3.6. */
const DARK = {
  base: 'vs-dark',
  inherit: true,
  rules: [
    { token: 'comment', foreground: '8fb57f' },
    { token: 'argument.identifier.gql', foreground: '908aff' },
  ],
  colors: {
    'editor.background': '#ffffff00',
    'scrollbar.shadow': '#ffffff00',
    'editorHoverWidget.background': '#212a3b',
    'editorSuggestWidget.background': '#212a3b',
    'menu.background': '#212a3b',
    'quickInput.background': '#212a3b',
  },
} as const;

/** GraphiQL for this gateway, with one tab per example. */
export function Explorer({
  subscriptions,
  examples,
}: {
  subscriptions: TabSubscriptions;
  examples: readonly Example[];
}) {
  const monaco = useMonaco((state) => state.monaco);
  useEffect(() => {
    monaco?.editor.defineTheme('graphiql-DARK', { ...DARK, rules: [...DARK.rules] });
  }, [monaco]);
  return (
    <GraphiQL
      fetcher={subscriptions.fetcher}
      onTabChange={subscriptions.setTabs}
      defaultTabs={examples.map((example) => ({ ...example }))}
    >
      <GraphiQL.Logo>
        <a href="/">Gudang</a>
      </GraphiQL.Logo>
      <GraphiQL.Footer>
        <RunningTabs subscriptions={subscriptions} />
      </GraphiQL.Footer>
    </GraphiQL>
  );
}

/**
 * Makes GraphiQL's tabs accessible. Each tab contains its close button, which screen readers cannot
 * reach inside the role `tab`. The tabs therefore become a list of buttons, and the current tab is
 * marked as current.
 */
export function repairTabRoles(root: Element): void {
  const repair = (): void => {
    for (const list of root.querySelectorAll('.graphiql-tabs[role]')) list.removeAttribute('role');
    for (const tab of root.querySelectorAll('.graphiql-tab')) {
      const selected = tab.getAttribute('aria-selected');
      tab.removeAttribute('role');
      if (selected === null) continue;
      tab.removeAttribute('aria-selected');
      tab.querySelector('.graphiql-tab-button')?.setAttribute('aria-current', selected);
    }
  };
  new MutationObserver(repair).observe(root, {
    subtree: true,
    childList: true,
    attributeFilter: ['aria-selected', 'role'],
  });
}

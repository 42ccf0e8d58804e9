import { useMonaco } from '@graphiql/react';
import type { Fetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { useEffect } from 'react';
import type { Example } from '../examples/examples.ts';

/** GraphiQL's own dark colours, but comments 5.6 : 1 on their ground, not 3.6. */
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

/** GraphiQL over this gateway, with the examples in its tabs. */
export function Explorer({
  fetcher,
  examples,
}: {
  fetcher: Fetcher;
  examples: readonly Example[];
}) {
  const monaco = useMonaco((state) => state.monaco);
  useEffect(() => {
    monaco?.editor.defineTheme('graphiql-DARK', { ...DARK, rules: [...DARK.rules] });
  }, [monaco]);
  return (
    <GraphiQL fetcher={fetcher} defaultTabs={examples.map((example) => ({ ...example }))}>
      <GraphiQL.Logo>
        <a href="/">Gudang</a>
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

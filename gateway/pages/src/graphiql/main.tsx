import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './graphiql.css';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { createClient } from 'graphql-ws';
import { createRoot } from 'react-dom/client';
import { graphExamples } from '../examples/graph-examples.ts';
import { authoriseConnection } from './authorize-connection.ts';
import { Explorer } from './explorer.tsx';
import { keepTabsPlain } from './plain-tabs.ts';

const fetcher = authoriseConnection(
  (connectionParams) =>
    createClient({
      url: `${location.origin.replace('http', 'ws')}/graphql`,
      connectionParams,
      retryAttempts: Number.POSITIVE_INFINITY,
      shouldRetry: () => true,
    }),
  (wsClient) => createGraphiQLFetcher({ url: '/graphql', wsClient }),
);

const root = document.getElementById('graphiql');
if (!root) throw new Error('the page has no #graphiql');
const examples = await graphExamples();
keepTabsPlain(root);
createRoot(root).render(<Explorer fetcher={fetcher} examples={examples} />);

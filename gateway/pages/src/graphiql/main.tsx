import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './graphiql.css';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { createClient } from 'graphql-ws';
import { createRoot } from 'react-dom/client';
import { loadExamples } from '../examples/examples.ts';
import { authorizeConnection } from './authorize-connection.ts';
import { Explorer, repairTabRoles } from './explorer.tsx';

const fetcher = authorizeConnection(
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
if (!root) throw new Error('The page has no #graphiql');
const examples = await loadExamples();
repairTabRoles(root);
createRoot(root).render(<Explorer fetcher={fetcher} examples={examples} />);

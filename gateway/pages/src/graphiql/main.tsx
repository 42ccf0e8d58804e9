import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './graphiql.css';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createClient } from 'graphql-ws';
import { createRoot } from 'react-dom/client';
import { graphExamples } from '../examples/graph-examples.ts';

const fetcher = createGraphiQLFetcher({
  url: '/graphql',
  wsClient: createClient({
    url: `${location.origin.replace('http', 'ws')}/graphql`,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
  }),
});

const root = document.getElementById('graphiql');
if (!root) throw new Error('the page has no #graphiql');
const examples = await graphExamples();
createRoot(root).render(
  <GraphiQL fetcher={fetcher} defaultTabs={examples.map((example) => ({ ...example }))}>
    <GraphiQL.Logo>
      <a href="/">Gudang</a>
    </GraphiQL.Logo>
  </GraphiQL>,
);
